package io.pq32.lucene;

import io.pq32.quantization.Metric;
import io.pq32.quantization.PqKernels;
import io.pq32.quantization.PqLayout;

/**
 * Where do the parts of scanned codes lie? They follow each other without gaps: codes, heads,
 * spreads, ordinals of nodes, blocks of ordinals; positions count from the first code. The byte
 * layout is in {@link Pq32HnswVectorsFormat}.
 *
 * @param size nodes
 * @param codeBytes bytes of a code
 * @param spreads whether blocks have spreads: where products decide
 */
record BlocksLayout(int size, int codeBytes, boolean spreads) {
  static BlocksLayout of(int size, PqLayout layout, Metric metric) {
    return new BlocksLayout(size, layout.codeBytes(), metric != Metric.EUCLIDEAN);
  }

  /** Blocks of codes, the last one filled up. */
  int blocks() {
    return Math.ceilDiv(size, PqKernels.BLOCK_SIZE);
  }

  int blockLength() {
    return PqKernels.BLOCK_SIZE * codeBytes;
  }

  long block(int number) {
    return (long) number * blockLength();
  }

  /** Blocks of heads, one head per block of codes. */
  int headBlocks() {
    return Math.ceilDiv(blocks(), PqKernels.BLOCK_SIZE);
  }

  long heads() {
    return block(blocks());
  }

  /** A float32 for each block, if there are any. */
  long spreadsOffset() {
    return heads() + (long) headBlocks() * blockLength();
  }

  long ords() {
    return spreadsOffset() + (spreads ? (long) blocks() * Float.BYTES : 0);
  }

  /** Bits of an ordinal. */
  int ordWidth() {
    return PackedInts.width(size - 1);
  }

  long blocksOfOrds() {
    return ords() + PackedInts.length(size, ordWidth());
  }

  /** Bits of the number of a block. */
  int blockWidth() {
    return PackedInts.width(blocks() - 1);
  }

  long length() {
    return blocksOfOrds() + PackedInts.length(size, blockWidth());
  }
}
