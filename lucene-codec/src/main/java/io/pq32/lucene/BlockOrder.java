package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.util.Arrays;

/**
 * Which blocks are nearest to a query? Those whose heads are, the codes of the means of their
 * codes. Heads that differ by less than {@value #STEP} levels, some hundredths of what they
 * scatter, are equals: in the order of the file.
 *
 * <p>Reused from query to query by one thread.
 */
final class BlockOrder {
  private static final int STEP = 8;

  private short[] sums = {}; // [block], of the heads
  private int[] starts = {}; // [sum / STEP from the highest on], positions in the order
  private int[] blocks = {};

  /**
   * The first {@code count} blocks, nearest first.
   *
   * @return that many, valid until the next call; what follows them means nothing
   */
  int[] nearestFirst(CodeBlocks codes, byte[] levels, int count) {
    int padded = Math.ceilDiv(count, PqKernels.BLOCK_SIZE) * PqKernels.BLOCK_SIZE;
    int highest = codes.layout().codeBytes() * PqKernels.MAX_LEVEL;
    int buckets = highest / STEP + 1;
    if (sums.length < padded) {
      sums = new short[padded];
      blocks = new int[padded];
    }
    if (starts.length < buckets) {
      starts = new int[buckets];
    }
    codes.sumHeads(count, levels, sums);
    Arrays.fill(starts, 0, buckets, 0);
    for (int i = 0; i < count; i++) {
      starts[(highest - sums[i]) / STEP]++;
    }
    int start = 0;
    for (int i = 0; i < buckets; i++) {
      int same = starts[i];
      starts[i] = start;
      start += same;
    }
    for (int i = 0; i < count; i++) {
      blocks[starts[(highest - sums[i]) / STEP]++] = i;
    }
    return blocks;
  }
}
