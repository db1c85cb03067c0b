package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.apache.lucene.store.IndexOutput;

/**
 * Numbers of one fixed width of whole bytes, little endian: one unaligned load and a mask read one.
 * (Lucene's packed readers save up to seven bits a number and cost a virtual call and a division.)
 *
 * @param segment where they lie
 * @param base where the first one starts; {@value #PADDING} bytes follow the last
 * @param width bytes of a number, 1 to 5
 */
record PackedInts(MemorySegment segment, long base, int width, long mask) {
  /** Bytes behind the numbers that a load may touch. */
  static final int PADDING = 7;

  private static final ValueLayout.OfLong LONG =
      JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  PackedInts(MemorySegment segment, long base, int width) {
    this(segment, base, width, (1L << 8 * width) - 1);
  }

  long get(int index) {
    return segment.get(LONG, base + (long) index * width) & mask;
  }

  /** Bytes a number up to {@code max} takes. */
  static int width(long max) {
    return Math.max(1, Math.ceilDiv(Long.SIZE - Long.numberOfLeadingZeros(max), Byte.SIZE));
  }

  /** Bytes of {@code count} numbers with their padding. */
  static long length(long count, int width) {
    return count * width + PADDING;
  }

  /** Writes one number. */
  static void write(IndexOutput out, long value, int width) throws IOException {
    for (int i = 0; i < width; i++) {
      out.writeByte((byte) (value >>> Byte.SIZE * i));
    }
  }

  /** Ends a sequence of numbers. */
  static void writePadding(IndexOutput out) throws IOException {
    for (int i = 0; i < PADDING; i++) {
      out.writeByte((byte) 0);
    }
  }
}
