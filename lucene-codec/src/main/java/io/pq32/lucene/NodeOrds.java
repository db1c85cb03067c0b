package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.lang.foreign.MemorySegment;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.IndexInput;

/**
 * Which ordinals do the codes in blocks belong to? Read in place. Shareable.
 *
 * <p>The other way, an ordinal leads to its block, and a binary search over the ascending ordinals
 * of the block to its node: a third of what a table of nodes would add to what is hot.
 */
final class NodeOrds {
  private final String field;
  private final BlocksLayout layout;
  private final PackedInts nodeToOrd;
  private final PackedInts ordToBlock;
  private final IndexInput file;

  /**
   * @param field to name when something is corrupt
   * @param segment everything that {@link BlocksLayout} says
   * @param file to name when it is corrupt
   */
  NodeOrds(String field, BlocksLayout layout, MemorySegment segment, IndexInput file) {
    this.field = field;
    this.layout = layout;
    this.nodeToOrd = new PackedInts(segment, layout.ords(), layout.ordWidth());
    this.ordToBlock = new PackedInts(segment, layout.blocksOfOrds(), layout.blockWidth());
    this.file = file;
  }

  int ord(int node) throws CorruptIndexException {
    int ord = (int) nodeToOrd.get(node);
    if (ord >= layout.size()) {
      throw Corruption.of(
          field, "ordinal of node " + node, "less than " + layout.size(), ord, file);
    }
    return ord;
  }

  /** Ordinals of some nodes. */
  int[] ords(int[] nodes) throws CorruptIndexException {
    int[] ords = new int[nodes.length];
    for (int i = 0; i < ords.length; i++) {
      ords[i] = ord(nodes[i]);
    }
    return ords;
  }

  /**
   * Nodes of some ordinals. All are searched for at once, step by step and without branches: what
   * one step waits for, those of the others do meanwhile. One after the other they took three times
   * as long.
   *
   * @param nodes receives {@code count} nodes
   */
  void nodes(int[] ords, int count, int[] nodes) throws CorruptIndexException {
    int last = layout.size() - 1;
    for (int i = 0; i < count; i++) {
      long block = Math.min(ordToBlock.get(ords[i]), last / PqKernels.BLOCK_SIZE);
      nodes[i] = (int) block * PqKernels.BLOCK_SIZE;
    }
    for (int step = PqKernels.BLOCK_SIZE / 2; step > 0; step >>>= 1) {
      for (int i = 0; i < count; i++) {
        int middle = nodes[i] + step;
        int notAbove = ords[i] - (int) nodeToOrd.get(Math.min(middle, last));
        nodes[i] += step & ~((notAbove | last - middle) >> Integer.SIZE - 1);
      }
    }
    for (int i = 0; i < count; i++) {
      if (nodeToOrd.get(nodes[i]) != ords[i]) {
        long block = ordToBlock.get(ords[i]);
        throw Corruption.of(field, "block of ordinal " + ords[i], "one that holds it", block, file);
      }
    }
  }

  /** Node of each ordinal, on the heap: for those who go through all of them. */
  int[] ordToNode() throws CorruptIndexException {
    int[] nodes = new int[layout.size()];
    for (int node = 0; node < nodes.length; node++) {
      nodes[ord(node)] = node;
    }
    return nodes;
  }
}
