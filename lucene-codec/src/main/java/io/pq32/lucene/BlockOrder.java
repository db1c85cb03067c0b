package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.util.Arrays;

/**
 * Which blocks are nearest to a query? Those whose heads are, the codes of the means of their
 * codes. Blocks that differ by less than {@value #STEP} levels, some hundredths of what they
 * scatter, are equals: in the order of the file.
 *
 * <p>By inner product, a block of long vectors that point to many sides has its mean near zero and
 * yet the largest products of all. So there blocks go by the largest product to be expected,
 * {@value #DEVIATIONS} deviations above that of the mean. Of 50,000 vectors whose lengths are
 * distributed lognormally (.5 the deviation of the logarithm), the first fifth of the blocks then
 * holds .87 of the ten nearest, by heads alone .55; of text-768, which are unit vectors, .933
 * instead of .929. Distances do not profit, glyphs-784 loses: what is far from the mean of its
 * block is so from most queries too.
 *
 * <p>Reused from query to query by one thread.
 */
final class BlockOrder {
  private static final int STEP = 8;

  /** The largest of 64 normally distributed values is expected there. */
  private static final double DEVIATIONS = 2.4;

  private short[] sums = {}; // [block], of the heads
  private float[] spreads = {}; // [block]
  private int[] starts = {}; // [key / STEP from the highest on], positions in the order
  private int[] blocks = {};

  /**
   * All blocks, nearest to a query first.
   *
   * @return that many, valid until the next call; what follows them means nothing
   */
  int[] nearestFirst(CodeBlocks codes, QueryTables.Table query, int count) {
    sumHeads(codes, query.levels(), count);
    int highest = highest(codes);
    if (!codes.layout().spreads()) {
      return sorted(count, highest);
    }
    if (spreads.length < sums.length) {
      spreads = new float[sums.length];
    }
    codes.copySpreads(count, spreads);
    float factor = (float) (DEVIATIONS * query.length());
    for (int i = 0; i < count; i++) {
      sums[i] += (short) Math.clamp(spreads[i] * factor, 0, highest);
    }
    return sorted(count, 2 * highest);
  }

  /**
   * The first {@code count} blocks, those with the nearest heads first.
   *
   * @return that many, valid until the next call; what follows them means nothing
   */
  int[] nearestFirst(CodeBlocks codes, byte[] levels, int count) {
    sumHeads(codes, levels, count);
    return sorted(count, highest(codes));
  }

  private static int highest(CodeBlocks codes) {
    return codes.layout().codeBytes() * PqKernels.MAX_LEVEL;
  }

  private void sumHeads(CodeBlocks codes, byte[] levels, int count) {
    int padded = Math.ceilDiv(count, PqKernels.BLOCK_SIZE) * PqKernels.BLOCK_SIZE;
    if (sums.length < padded) {
      sums = new short[padded];
      blocks = new int[padded];
    }
    codes.sumHeads(count, levels, sums);
  }

  /** Sorts by counting: the largest sums first, which are at most {@code highest}. */
  private int[] sorted(int count, int highest) {
    int buckets = highest / STEP + 1;
    if (starts.length < buckets) {
      starts = new int[buckets];
    }
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
