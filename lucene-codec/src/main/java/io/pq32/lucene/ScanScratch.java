package io.pq32.lucene;

import io.pq32.quantization.PqKernels;

/**
 * What a scan works with.
 *
 * @param top the best so far
 * @param order of blocks
 * @param sums of a chunk of blocks, as {@link CodeBlocks#scan} takes them
 * @param above of a chunk of blocks
 */
record ScanScratch(TopSums top, BlockOrder order, short[] sums, long[] above) {
  ScanScratch(TopSums top) {
    this(
        top,
        new BlockOrder(),
        new short[CodeBlocks.CHUNK * PqKernels.BLOCK_SIZE],
        new long[CodeBlocks.CHUNK]);
  }
}
