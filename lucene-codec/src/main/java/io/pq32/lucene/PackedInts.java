package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.apache.lucene.store.DataOutput;

/**
 * Numbers of one fixed width in bits, one after the other from the lowest bit of the first byte on:
 * one unaligned load, a shift and a mask read one. (Lucene's packed readers cost a virtual call and
 * a division more.)
 *
 * @param segment where they lie
 * @param base where the first one starts; {@value #PADDING} bytes follow the last
 * @param width bits of a number, 1 to {@value #MAX_WIDTH}
 */
record PackedInts(MemorySegment segment, long base, int width, long mask) {
  /** Bytes behind the numbers that a load may touch. */
  static final int PADDING = 7;

  /** A number that starts at the last bit of a byte still lies within one load. */
  static final int MAX_WIDTH = 57;

  private static final ValueLayout.OfLong LONG =
      JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  PackedInts(MemorySegment segment, long base, int width) {
    this(segment, base, width, (1L << width) - 1);
  }

  long get(int index) {
    long bit = (long) index * width;
    return segment.get(LONG, base + (bit >>> 3)) >>> (bit & 7) & mask;
  }

  /** Bits a number up to {@code max} takes. */
  static int width(long max) {
    return Math.max(1, Long.SIZE - Long.numberOfLeadingZeros(max));
  }

  /** Bytes of {@code count} numbers with their padding. */
  static long length(long count, int width) {
    return Math.ceilDiv(count * width, Byte.SIZE) + PADDING;
  }

  /** Writes numbers one by one. */
  static final class Writer {
    private final DataOutput out;
    private final int width;
    private long bits;
    private int count; // of bits not yet written, at most 7 between two numbers

    Writer(DataOutput out, int width) {
      this.out = out;
      this.width = width;
    }

    void add(long value) throws IOException {
      bits |= value << count;
      for (count += width; count >= Byte.SIZE; count -= Byte.SIZE) {
        out.writeByte((byte) bits);
        bits >>>= Byte.SIZE;
      }
    }

    /** Writes what is left, and the padding. */
    void finish() throws IOException {
      if (count > 0) {
        out.writeByte((byte) bits);
      }
      for (int i = 0; i < PADDING; i++) {
        out.writeByte((byte) 0);
      }
    }
  }
}
