package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.IntToLongFunction;
import org.apache.lucene.store.IndexOutput;

/**
 * Numbers of one fixed width in bits, one behind the other from the lowest bit of each byte on: one
 * unaligned load, a shift and a mask read one. (Lucene's packed readers cost a virtual call and a
 * division.)
 *
 * @param segment where they lie
 * @param base where the first one starts; {@value #PADDING} bytes follow the last
 * @param width bits of a number, 1 to {@value #MAX_WIDTH}
 */
record PackedInts(MemorySegment segment, long base, int width, long mask) {
  /** Bytes behind the numbers that a load may touch. */
  static final int PADDING = 7;

  /** What is left of a load when the first bit wanted is the last one of its byte. */
  static final int MAX_WIDTH = Long.SIZE - 7;

  private static final ValueLayout.OfLong LONG =
      JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  PackedInts(MemorySegment segment, long base, int width) {
    this(segment, base, width, (1L << width) - 1);
  }

  long get(int index) {
    return bits(segment, Byte.SIZE * base + (long) index * width) & mask;
  }

  /** At least {@value #MAX_WIDTH} bits from a bit of a segment on. */
  static long bits(MemorySegment segment, long bit) {
    return segment.get(LONG, bit >>> 3) >>> (bit & 7);
  }

  /** Bits that a number up to {@code max} takes. */
  static int width(long max) {
    return Math.max(1, Long.SIZE - Long.numberOfLeadingZeros(max));
  }

  /** Bytes of {@code count} numbers with their padding. */
  static long length(long count, int width) {
    return Math.ceilDiv(count * width, Byte.SIZE) + PADDING;
  }

  /** Writes {@code count} numbers and their padding. */
  static void write(IndexOutput out, int count, int width, IntToLongFunction values)
      throws IOException {
    BitOutput bits = new BitOutput(out);
    for (int i = 0; i < count; i++) {
      bits.write(values.applyAsLong(i), width);
    }
    bits.finish();
    for (int i = 0; i < PADDING; i++) {
      out.writeByte((byte) 0);
    }
  }
}
