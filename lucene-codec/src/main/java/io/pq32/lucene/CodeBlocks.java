package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.PqKernels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.IndexInput;

/**
 * The codes of one field in one segment without a graph, read in place. Shareable.
 *
 * <p>Every block of 64 nodes has a head, the code of the mean of its codes: the heads tell which
 * blocks are worth scanning first.
 */
final class CodeBlocks {
  private static final int HEAD_STEP = 8;

  private final BlocksLayout layout;
  private final IndexInput file;
  private final MemorySegment segment;
  private final PackedInts nodeToOrd;

  /**
   * @param segment everything that {@link BlocksLayout} says
   * @param file to name when it is corrupt
   */
  CodeBlocks(BlocksLayout layout, MemorySegment segment, IndexInput file) {
    this.layout = layout;
    this.file = file;
    this.segment = segment;
    this.nodeToOrd = new PackedInts(segment, layout.ords(), layout.ordWidth());
  }

  BlocksLayout layout() {
    return layout;
  }

  int ord(int node) throws CorruptIndexException {
    int ord = (int) nodeToOrd.get(node);
    if (ord >= layout.size()) {
      throw new CorruptIndexException(
          "node " + node + " of " + layout.size() + " has ordinal " + ord, file);
    }
    return ord;
  }

  /** Sums the levels of the codes of one block; one bit per sum greater than the threshold. */
  long scan(int block, byte[] levels, int threshold, short[] sums) {
    return PqKernels.instance()
        .scanBlock(segment, layout.block(block), layout.codeBytes(), levels, threshold, sums);
  }

  /**
   * All blocks, those with the nearest heads first. Heads that differ by less than {@value
   * #HEAD_STEP} levels, some hundredths of what they scatter, are equals: in the order of the file.
   */
  int[] nearestFirst(byte[] levels) {
    short[] sums = new short[layout.headBlocks() * PqKernels.BLOCK_SIZE];
    PqKernels.instance()
        .scan(segment, layout.heads(), layout.headBlocks(), layout.codeBytes(), levels, sums);
    int count = layout.blocks();
    int highest = layout.codeBytes() * PqKernels.MAX_LEVEL;
    int[] starts = new int[highest / HEAD_STEP + 2];
    for (int i = 0; i < count; i++) {
      starts[(highest - sums[i]) / HEAD_STEP + 1]++;
    }
    for (int i = 1; i < starts.length; i++) {
      starts[i] += starts[i - 1];
    }
    int[] sorted = new int[count];
    for (int i = 0; i < count; i++) {
      sorted[starts[(highest - sums[i]) / HEAD_STEP]++] = i;
    }
    return sorted;
  }

  /** Copies the code of a node. */
  void copy(int node, byte[] code) {
    long first = layout.block(node / PqKernels.BLOCK_SIZE) + node % PqKernels.BLOCK_SIZE;
    for (int m = 0; m < code.length; m++) {
      code[m] = segment.get(JAVA_BYTE, first + (long) m * PqKernels.BLOCK_SIZE);
    }
  }

  /** Node of each ordinal, on the heap: for those who go through all of them. */
  int[] ordToNode() throws IOException {
    int[] nodes = new int[layout.size()];
    for (int node = 0; node < nodes.length; node++) {
      nodes[ord(node)] = node;
    }
    return nodes;
  }
}
