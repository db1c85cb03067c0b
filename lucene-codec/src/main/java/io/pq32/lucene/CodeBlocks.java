package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.PqKernels;
import java.lang.foreign.MemorySegment;

/**
 * Codes in blocks of 64, read in place. Shareable.
 *
 * <p>Every block of 64 nodes has a head, the code of the mean of its codes: the heads tell which
 * blocks are worth scanning first.
 */
final class CodeBlocks {
  /** Blocks that are best scanned by one call: a quarter of a microsecond of scanning. */
  static final int CHUNK = 4;

  private static final int HEAD_STEP = 8;

  private final BlocksLayout layout;
  private final MemorySegment segment;

  /**
   * @param segment codes and heads as {@link BlocksLayout} says
   */
  CodeBlocks(BlocksLayout layout, MemorySegment segment) {
    this.layout = layout;
    this.segment = segment;
  }

  BlocksLayout layout() {
    return layout;
  }

  /**
   * Sums the levels of the codes of some blocks.
   *
   * @param order their numbers, {@code count} of them from {@code from} on
   * @param sums receives {@code [count][64]}
   * @param above receives {@code [count]}: one bit per sum greater than the threshold
   */
  void scan(
      int[] order, int from, int count, byte[] levels, int threshold, short[] sums, long[] above) {
    PqKernels.instance()
        .scanBlocks(
            segment, 0, order, from, count, layout.codeBytes(), levels, threshold, sums, above);
  }

  /**
   * All blocks, those with the nearest heads first. Heads that differ by less than {@value
   * #HEAD_STEP} levels, some hundredths of what they scatter, are equals: in the order of the file.
   */
  int[] nearestFirst(byte[] levels) {
    return nearestFirst(levels, layout.blocks());
  }

  /** The first {@code count} blocks in that order. */
  int[] nearestFirst(byte[] levels, int count) {
    int headBlocks = Math.ceilDiv(count, PqKernels.BLOCK_SIZE);
    short[] sums = new short[headBlocks * PqKernels.BLOCK_SIZE];
    PqKernels.instance()
        .scan(segment, layout.heads(), headBlocks, layout.codeBytes(), levels, sums);
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
    copy(layout.block(0), node, code);
  }

  /** Copies the head of a block. */
  void copyHead(int block, byte[] code) {
    copy(layout.heads(), block, code);
  }

  private void copy(long blocks, int number, byte[] code) {
    long first =
        blocks + layout.block(number / PqKernels.BLOCK_SIZE) + number % PqKernels.BLOCK_SIZE;
    for (int m = 0; m < code.length; m++) {
      code[m] = segment.get(JAVA_BYTE, first + (long) m * PqKernels.BLOCK_SIZE);
    }
  }
}
