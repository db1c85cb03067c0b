package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.pq32.quantization.PqKernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Codes in blocks of 64, read in place. Shareable.
 *
 * <p>Every block of 64 nodes has a head, the code of the mean of its codes, and where products
 * decide a spread, by how much its codes scatter around that: they tell which blocks are worth
 * scanning first.
 */
final class CodeBlocks {
  /** Blocks that are best scanned by one call: a quarter of a microsecond of scanning. */
  static final int CHUNK = 4;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final BlocksLayout layout;
  private final MemorySegment segment;

  /**
   * @param segment codes, heads and spreads as {@link BlocksLayout} says
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
   * Sums the levels of the heads of the first {@code count} blocks.
   *
   * @param sums has room for {@code count} rounded up to a multiple of 64
   */
  void sumHeads(int count, byte[] levels, short[] sums) {
    int headBlocks = Math.ceilDiv(count, PqKernels.BLOCK_SIZE);
    PqKernels.instance()
        .scan(segment, layout.heads(), headBlocks, layout.codeBytes(), levels, sums);
  }

  /** Copies the spreads of the first {@code count} blocks, where the layout has any. */
  void copySpreads(int count, float[] spreads) {
    MemorySegment.copy(segment, FLOAT, layout.spreadsOffset(), spreads, 0, count);
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
