package io.pq32.quantization;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums of table lookups, 64 codes at a time, on processors that permute 512 bits byte by byte.
 *
 * <p>Four registers hold the 256 levels of a sub-quantizer. Two selections look 64 centroids up,
 * each in its half of the levels, and the centroid's highest bit decides between them.
 */
final class VectorLookup512 {
  private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_512;
  private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_512;
  private static final int BLOCK_SIZE = PqKernels.BLOCK_SIZE;
  private static final int CODEBOOK_SIZE = PqKernels.CODEBOOK_SIZE;

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  // Selections from two registers, numbered on: transposition of 4-byte units into rows of bytes.
  private static final ByteVector LOW_PAIRS = selection(i -> i / 2 * 4 + i % 2);
  private static final ByteVector HIGH_PAIRS = selection(i -> i / 2 * 4 + 2 + i % 2);
  private static final ByteVector EVEN = selection(i -> 2 * i);
  private static final ByteVector ODD = selection(i -> 2 * i + 1);

  /** Even-numbered sums and odd-numbered ones, brought back into order. */
  private static final ShortVector FIRST_HALF = interleaving(0);

  private static final ShortVector SECOND_HALF = interleaving(16);

  private VectorLookup512() {}

  private static ByteVector selection(java.util.function.IntUnaryOperator from) {
    byte[] lanes = new byte[BYTES.length()];
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = (byte) from.applyAsInt(i);
    }
    return ByteVector.fromArray(BYTES, lanes, 0);
  }

  private static ShortVector interleaving(int first) {
    short[] lanes = new short[SHORTS.length()];
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = (short) (first + i / 2 + i % 2 * SHORTS.length());
    }
    return ShortVector.fromArray(SHORTS, lanes, 0);
  }

  static void scan(
      MemorySegment codes,
      long offset,
      int blocks,
      int subQuantizers,
      byte[] levels,
      short[] sums) {
    for (int block = 0; block < blocks; block++) {
      scanBlock(
          codes,
          offset + (long) block * subQuantizers * BLOCK_SIZE,
          subQuantizers,
          levels,
          sums,
          block * BLOCK_SIZE);
    }
  }

  private static void scanBlock(
      MemorySegment codes,
      long offset,
      int subQuantizers,
      byte[] levels,
      short[] sums,
      int sumsOffset) {
    ShortVector even = ShortVector.zero(SHORTS);
    ShortVector odd = even;
    for (int m = 0; m < subQuantizers; m += 2) {
      long row = offset + (long) m * BLOCK_SIZE;
      ShortVector pairs =
          lookUp(row(codes, row), levels, m * CODEBOOK_SIZE)
              .add(lookUp(row(codes, row + BLOCK_SIZE), levels, (m + 1) * CODEBOOK_SIZE))
              .reinterpretAsShorts();
      even = even.add(pairs.and((short) 0xFF));
      odd = odd.add(pairs.lanewise(VectorOperators.LSHR, 8));
    }
    FIRST_HALF.selectFrom(even, odd).intoArray(sums, sumsOffset);
    SECOND_HALF.selectFrom(even, odd).intoArray(sums, sumsOffset + SHORTS.length());
  }

  private static ByteVector row(MemorySegment codes, long offset) {
    return ByteVector.fromMemorySegment(BYTES, codes, offset, ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteVector lookUp(ByteVector centroids, byte[] levels, int offset) {
    ByteVector low =
        centroids.selectFrom(bytes(levels, offset), bytes(levels, offset + BLOCK_SIZE));
    ByteVector high =
        centroids.selectFrom(
            bytes(levels, offset + 2 * BLOCK_SIZE), bytes(levels, offset + 3 * BLOCK_SIZE));
    return low.blend(high, centroids.compare(VectorOperators.LT, (byte) 0));
  }

  /** Looks up one block of {@code centroids}. */
  static void lookUp(byte[] centroids, byte[] levels, byte[] out) {
    lookUp(bytes(centroids, 0), levels, 0).intoArray(out, 0);
  }

  static void score(
      MemorySegment codes,
      long offset,
      int[] ords,
      int count,
      int subQuantizers,
      byte[] levels,
      byte[] scratch,
      short[] sums) {
    gather(codes, offset, ords, count, subQuantizers, scratch);
    sum(scratch, subQuantizers, levels, sums);
  }

  /**
   * Copies codes to {@code scratch}, transposed by units of four bytes: {@code
   * [subQuantizer/4][BLOCK_SIZE][4]}. Touching all codes before computing with any lets their cache
   * misses overlap.
   */
  private static void gather(
      MemorySegment codes, long offset, int[] ords, int count, int subQuantizers, byte[] scratch) {
    for (int i = 0; i < count; i++) {
      long code = offset + (long) ords[i] * subQuantizers;
      for (int m = 0; m < subQuantizers; m += 16) {
        long first = codes.get(LONG, code + m);
        long second = codes.get(LONG, code + m + 8);
        int to = (m * BLOCK_SIZE) + i * 4;
        INT.set(scratch, to, (int) first);
        INT.set(scratch, to + 4 * BLOCK_SIZE, (int) (first >>> 32));
        INT.set(scratch, to + 8 * BLOCK_SIZE, (int) second);
        INT.set(scratch, to + 12 * BLOCK_SIZE, (int) (second >>> 32));
      }
    }
  }

  private static void sum(byte[] scratch, int subQuantizers, byte[] levels, short[] sums) {
    ShortVector even = ShortVector.zero(SHORTS);
    ShortVector odd = even;
    for (int m = 0; m < subQuantizers; m += 4) {
      int from = m * BLOCK_SIZE;
      ByteVector q0 = bytes(scratch, from);
      ByteVector q1 = bytes(scratch, from + BLOCK_SIZE);
      ByteVector q2 = bytes(scratch, from + 2 * BLOCK_SIZE);
      ByteVector q3 = bytes(scratch, from + 3 * BLOCK_SIZE);
      ByteVector low0 = LOW_PAIRS.selectFrom(q0, q1);
      ByteVector low1 = LOW_PAIRS.selectFrom(q2, q3);
      ByteVector high0 = HIGH_PAIRS.selectFrom(q0, q1);
      ByteVector high1 = HIGH_PAIRS.selectFrom(q2, q3);
      int table = m * CODEBOOK_SIZE;
      ShortVector pairs =
          lookUp(EVEN.selectFrom(low0, low1), levels, table)
              .add(lookUp(ODD.selectFrom(low0, low1), levels, table + CODEBOOK_SIZE))
              .reinterpretAsShorts();
      even = even.add(pairs.and((short) 0xFF));
      odd = odd.add(pairs.lanewise(VectorOperators.LSHR, 8));
      pairs =
          lookUp(EVEN.selectFrom(high0, high1), levels, table + 2 * CODEBOOK_SIZE)
              .add(lookUp(ODD.selectFrom(high0, high1), levels, table + 3 * CODEBOOK_SIZE))
              .reinterpretAsShorts();
      even = even.add(pairs.and((short) 0xFF));
      odd = odd.add(pairs.lanewise(VectorOperators.LSHR, 8));
    }
    FIRST_HALF.selectFrom(even, odd).intoArray(sums, 0);
    SECOND_HALF.selectFrom(even, odd).intoArray(sums, SHORTS.length());
  }

  private static ByteVector bytes(byte[] array, int offset) {
    return ByteVector.fromArray(BYTES, array, offset);
  }
}
