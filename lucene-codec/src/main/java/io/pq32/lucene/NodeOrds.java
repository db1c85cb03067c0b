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

  int node(int ord) throws CorruptIndexException {
    long block = ordToBlock.get(ord);
    int low = (int) Math.min(layout.size() - 1, block * PqKernels.BLOCK_SIZE);
    int high = (int) Math.min(layout.size(), (block + 1) * PqKernels.BLOCK_SIZE) - 1;
    while (low < high) {
      int middle = low + high >>> 1;
      if (nodeToOrd.get(middle) < ord) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (nodeToOrd.get(low) != ord) {
      throw Corruption.of(field, "block of ordinal " + ord, "one that holds it", block, file);
    }
    return low;
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
