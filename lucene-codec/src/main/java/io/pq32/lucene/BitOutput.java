package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.store.DataOutput;

/** Writes numbers bit by bit, from the lowest bit of each byte on. */
final class BitOutput {
  private final DataOutput out;
  private long buffer;
  private int filled; // bits of the buffer that are not written yet, less than 8 between calls

  BitOutput(DataOutput out) {
    this.out = out;
  }

  /**
   * Writes the lowest bits of a number.
   *
   * @param width 0 to {@value PackedInts#MAX_WIDTH}
   */
  void write(long value, int width) throws IOException {
    buffer |= (value & (1L << width) - 1) << filled;
    filled += width;
    while (filled >= Byte.SIZE) {
      out.writeByte((byte) buffer);
      buffer >>>= Byte.SIZE;
      filled -= Byte.SIZE;
    }
  }

  /** Fills the last byte with zeros. */
  void finish() throws IOException {
    if (filled > 0) {
      out.writeByte((byte) buffer);
    }
    buffer = 0;
    filled = 0;
  }
}
