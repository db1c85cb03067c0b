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
 * <p>Blocks are scanned two at a time: levels, an array, straddle cache lines seven times in eight,
 * and reading them took longer than looking up. One block at a time takes 1.25 times as long where
 * codes are in the second cache, 1.33 times in the third. Three or four blocks are too many for the
 * compiler's registers (twice as long).
 *
 * <p>Four registers hold the 256 levels of a sub-quantizer. Two selections look 64 centroids up,
 * each in its half of the levels, and the centroid's highest bit decides between them. Levels of
 * two sub-quantizers add up within a byte. Bytes are summed as shorts: {@code total} sums whole
 * shorts and overflows, {@code odd} sums their high bytes, and what is left of {@code total}
 * without those is the sum of the low bytes.
 *
 * <p>Methods that read codes exist once per {@link CodeMemory}, which says why.
 */
final class VectorLookup512 {
  private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_512;
  private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_512;
  private static final int BLOCK_SIZE = PqKernels.BLOCK_SIZE;
  private static final int CODEBOOK_SIZE = PqKernels.CODEBOOK_SIZE;

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG_OF_BYTES =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /** Sub-quantizers that are gathered and transposed together. */
  private static final int UNIT = Long.BYTES;

  // Of 16 codes in two registers, the bytes of the first four sub-quantizers of a unit, or of the
  // last four: [sub-quantizer][code].
  private static final ByteVector FIRST_ROWS = rows(0);
  private static final ByteVector LAST_ROWS = rows(UNIT / 2);

  // Two registers of four 16-byte units each make two others. Selecting bytes even where longs
  // move, because two-table selection of longs takes several instructions.
  private static final ByteVector LOW_PAIRS = units(0, 4, 1, 5);
  private static final ByteVector HIGH_PAIRS = units(2, 6, 3, 7);
  private static final ByteVector LOW_HALVES = units(0, 1, 4, 5);
  private static final ByteVector HIGH_HALVES = units(2, 3, 6, 7);

  // Sums of even-numbered codes and of odd-numbered ones, brought back into order.
  private static final ShortVector FIRST_HALF = interleaving(0);
  private static final ShortVector SECOND_HALF = interleaving(SHORTS.length() / 2);

  private VectorLookup512() {}

  private static ByteVector rows(int first) {
    byte[] lanes = new byte[BYTES.length()];
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = (byte) (i % 16 * UNIT + first + i / 16);
    }
    return bytes(lanes, 0);
  }

  private static ByteVector units(int... from) {
    byte[] lanes = new byte[BYTES.length()];
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = (byte) (from[i / 16] * 16 + i % 16);
    }
    return bytes(lanes, 0);
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
    CodeMemory memory = CodeMemory.of(codes);
    long blockBytes = (long) subQuantizers * BLOCK_SIZE;
    for (int i = 0; i < blocks; i += 2) {
      int j = Math.min(i + 1, blocks - 1);
      long first = offset + i * blockBytes;
      long second = offset + j * blockBytes;
      scan(memory, codes, first, second, subQuantizers, levels, sums, i, j);
    }
  }

  static void scanBlocks(
      MemorySegment codes,
      long offset,
      int[] blocks,
      int from,
      int count,
      int subQuantizers,
      byte[] levels,
      short bound,
      short[] sums,
      long[] above) {
    CodeMemory memory = CodeMemory.of(codes);
    long blockBytes = (long) subQuantizers * BLOCK_SIZE;
    for (int i = 0; i < count; i += 2) {
      int j = Math.min(i + 1, count - 1);
      long first = offset + blocks[from + i] * blockBytes;
      long second = offset + blocks[from + j] * blockBytes;
      scan(memory, codes, first, second, subQuantizers, levels, sums, i, j);
      above[i] = above(sums, i * BLOCK_SIZE, bound);
      above[j] = above(sums, j * BLOCK_SIZE, bound);
    }
  }

  /** Sums two blocks, or one as both of them, to blocks {@code i} and {@code j} of the sums. */
  private static void scan(
      CodeMemory memory,
      MemorySegment codes,
      long first,
      long second,
      int subQuantizers,
      byte[] levels,
      short[] sums,
      int i,
      int j) {
    int firstTo = i * BLOCK_SIZE;
    int secondTo = j * BLOCK_SIZE;
    switch (memory) {
      case MAPPED ->
          scanMapped(codes, first, second, subQuantizers, levels, sums, firstTo, secondTo);
      case NATIVE ->
          scanNative(codes, first, second, subQuantizers, levels, sums, firstTo, secondTo);
      case HEAP -> scanHeap(codes, first, second, subQuantizers, levels, sums, firstTo, secondTo);
    }
  }

  private static void scanMapped(
      Object segment,
      long first,
      long second,
      int subQuantizers,
      byte[] levels,
      short[] sums,
      int firstTo,
      int secondTo) {
    MemorySegment codes = (MemorySegment) segment;
    ShortVector firstTotal = ShortVector.zero(SHORTS);
    ShortVector firstOdd = firstTotal;
    ShortVector secondTotal = firstTotal;
    ShortVector secondOdd = firstTotal;
    for (int m = 0; m < subQuantizers; m += 2) {
      long row = (long) m * BLOCK_SIZE;
      int table = m * CODEBOOK_SIZE;
      ByteVector t0 = bytes(levels, table);
      ByteVector t1 = bytes(levels, table + BLOCK_SIZE);
      ByteVector t2 = bytes(levels, table + 2 * BLOCK_SIZE);
      ByteVector t3 = bytes(levels, table + 3 * BLOCK_SIZE);
      ByteVector firstEven = lookUp(row(codes, first + row), t0, t1, t2, t3);
      ByteVector secondEven = lookUp(row(codes, second + row), t0, t1, t2, t3);
      row += BLOCK_SIZE;
      table += CODEBOOK_SIZE;
      t0 = bytes(levels, table);
      t1 = bytes(levels, table + BLOCK_SIZE);
      t2 = bytes(levels, table + 2 * BLOCK_SIZE);
      t3 = bytes(levels, table + 3 * BLOCK_SIZE);
      ShortVector firstPairs = pairs(firstEven, lookUp(row(codes, first + row), t0, t1, t2, t3));
      ShortVector secondPairs = pairs(secondEven, lookUp(row(codes, second + row), t0, t1, t2, t3));
      firstTotal = firstTotal.add(firstPairs);
      firstOdd = firstOdd.add(firstPairs.lanewise(VectorOperators.LSHR, 8));
      secondTotal = secondTotal.add(secondPairs);
      secondOdd = secondOdd.add(secondPairs.lanewise(VectorOperators.LSHR, 8));
    }
    store(firstTotal, firstOdd, sums, firstTo);
    store(secondTotal, secondOdd, sums, secondTo);
  }

  private static void scanNative(
      Object segment,
      long first,
      long second,
      int subQuantizers,
      byte[] levels,
      short[] sums,
      int firstTo,
      int secondTo) {
    MemorySegment codes = (MemorySegment) segment;
    ShortVector firstTotal = ShortVector.zero(SHORTS);
    ShortVector firstOdd = firstTotal;
    ShortVector secondTotal = firstTotal;
    ShortVector secondOdd = firstTotal;
    for (int m = 0; m < subQuantizers; m += 2) {
      long row = (long) m * BLOCK_SIZE;
      int table = m * CODEBOOK_SIZE;
      ByteVector t0 = bytes(levels, table);
      ByteVector t1 = bytes(levels, table + BLOCK_SIZE);
      ByteVector t2 = bytes(levels, table + 2 * BLOCK_SIZE);
      ByteVector t3 = bytes(levels, table + 3 * BLOCK_SIZE);
      ByteVector firstEven = lookUp(row(codes, first + row), t0, t1, t2, t3);
      ByteVector secondEven = lookUp(row(codes, second + row), t0, t1, t2, t3);
      row += BLOCK_SIZE;
      table += CODEBOOK_SIZE;
      t0 = bytes(levels, table);
      t1 = bytes(levels, table + BLOCK_SIZE);
      t2 = bytes(levels, table + 2 * BLOCK_SIZE);
      t3 = bytes(levels, table + 3 * BLOCK_SIZE);
      ShortVector firstPairs = pairs(firstEven, lookUp(row(codes, first + row), t0, t1, t2, t3));
      ShortVector secondPairs = pairs(secondEven, lookUp(row(codes, second + row), t0, t1, t2, t3));
      firstTotal = firstTotal.add(firstPairs);
      firstOdd = firstOdd.add(firstPairs.lanewise(VectorOperators.LSHR, 8));
      secondTotal = secondTotal.add(secondPairs);
      secondOdd = secondOdd.add(secondPairs.lanewise(VectorOperators.LSHR, 8));
    }
    store(firstTotal, firstOdd, sums, firstTo);
    store(secondTotal, secondOdd, sums, secondTo);
  }

  private static void scanHeap(
      Object segment,
      long first,
      long second,
      int subQuantizers,
      byte[] levels,
      short[] sums,
      int firstTo,
      int secondTo) {
    MemorySegment codes = (MemorySegment) segment;
    ShortVector firstTotal = ShortVector.zero(SHORTS);
    ShortVector firstOdd = firstTotal;
    ShortVector secondTotal = firstTotal;
    ShortVector secondOdd = firstTotal;
    for (int m = 0; m < subQuantizers; m += 2) {
      long row = (long) m * BLOCK_SIZE;
      int table = m * CODEBOOK_SIZE;
      ByteVector t0 = bytes(levels, table);
      ByteVector t1 = bytes(levels, table + BLOCK_SIZE);
      ByteVector t2 = bytes(levels, table + 2 * BLOCK_SIZE);
      ByteVector t3 = bytes(levels, table + 3 * BLOCK_SIZE);
      ByteVector firstEven = lookUp(row(codes, first + row), t0, t1, t2, t3);
      ByteVector secondEven = lookUp(row(codes, second + row), t0, t1, t2, t3);
      row += BLOCK_SIZE;
      table += CODEBOOK_SIZE;
      t0 = bytes(levels, table);
      t1 = bytes(levels, table + BLOCK_SIZE);
      t2 = bytes(levels, table + 2 * BLOCK_SIZE);
      t3 = bytes(levels, table + 3 * BLOCK_SIZE);
      ShortVector firstPairs = pairs(firstEven, lookUp(row(codes, first + row), t0, t1, t2, t3));
      ShortVector secondPairs = pairs(secondEven, lookUp(row(codes, second + row), t0, t1, t2, t3));
      firstTotal = firstTotal.add(firstPairs);
      firstOdd = firstOdd.add(firstPairs.lanewise(VectorOperators.LSHR, 8));
      secondTotal = secondTotal.add(secondPairs);
      secondOdd = secondOdd.add(secondPairs.lanewise(VectorOperators.LSHR, 8));
    }
    store(firstTotal, firstOdd, sums, firstTo);
    store(secondTotal, secondOdd, sums, secondTo);
  }

  /** Sums of two sub-quantizers' levels, which still fit their bytes: two codes in one short. */
  private static ShortVector pairs(ByteVector first, ByteVector second) {
    return first.add(second).reinterpretAsShorts();
  }

  private static void store(ShortVector total, ShortVector odd, short[] sums, int offset) {
    ShortVector even = total.sub(odd.lanewise(VectorOperators.LSHL, 8));
    FIRST_HALF.selectFrom(even, odd).intoArray(sums, offset);
    SECOND_HALF.selectFrom(even, odd).intoArray(sums, offset + SHORTS.length());
  }

  /** One bit per sum of a block greater than {@code bound}. */
  private static long above(short[] sums, int offset, short bound) {
    ShortVector first = ShortVector.fromArray(SHORTS, sums, offset);
    ShortVector second = ShortVector.fromArray(SHORTS, sums, offset + SHORTS.length());
    return first.compare(VectorOperators.GT, bound).toLong()
        | second.compare(VectorOperators.GT, bound).toLong() << SHORTS.length();
  }

  private static ByteVector row(MemorySegment codes, long offset) {
    return ByteVector.fromMemorySegment(BYTES, codes, offset, ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteVector lookUp(ByteVector centroids, byte[] levels, int offset) {
    return lookUp(
        centroids,
        bytes(levels, offset),
        bytes(levels, offset + BLOCK_SIZE),
        bytes(levels, offset + 2 * BLOCK_SIZE),
        bytes(levels, offset + 3 * BLOCK_SIZE));
  }

  private static ByteVector lookUp(
      ByteVector centroids, ByteVector t0, ByteVector t1, ByteVector t2, ByteVector t3) {
    ByteVector low = centroids.selectFrom(t0, t1);
    ByteVector high = centroids.selectFrom(t2, t3);
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
    // All codes are touched before any is summed, so that their cache misses overlap: at a million
    // codes that takes a fifth of the time.
    CodeMemory memory = CodeMemory.of(codes);
    for (int m = 0; m < subQuantizers; m += 2 * UNIT) {
      long from = offset + m;
      int to = m * BLOCK_SIZE;
      switch (memory) {
        case MAPPED -> gatherMapped(codes, from, ords, count, subQuantizers, scratch, to);
        case NATIVE -> gatherNative(codes, from, ords, count, subQuantizers, scratch, to);
        case HEAP -> gatherHeap(codes, from, ords, count, subQuantizers, scratch, to);
      }
    }
    selectRows(scratch, subQuantizers * BLOCK_SIZE);
    joinRows(scratch, subQuantizers * BLOCK_SIZE);
    sumRows(scratch, subQuantizers, levels, sums);
  }

  /**
   * Copies two units of all codes, {@code [unit][code][UNIT]}. Larger units leave more to
   * transpose, smaller ones take more stores.
   */
  private static void gatherMapped(
      Object segment,
      long offset,
      int[] ords,
      int count,
      int subQuantizers,
      byte[] scratch,
      int scratchOffset) {
    MemorySegment codes = (MemorySegment) segment;
    for (int i = 0; i < count; i++) {
      long code = offset + (long) ords[i] * subQuantizers;
      int to = scratchOffset + i * UNIT;
      LONG_OF_BYTES.set(scratch, to, codes.get(LONG, code));
      LONG_OF_BYTES.set(scratch, to + UNIT * BLOCK_SIZE, codes.get(LONG, code + UNIT));
    }
  }

  private static void gatherNative(
      Object segment,
      long offset,
      int[] ords,
      int count,
      int subQuantizers,
      byte[] scratch,
      int scratchOffset) {
    MemorySegment codes = (MemorySegment) segment;
    for (int i = 0; i < count; i++) {
      long code = offset + (long) ords[i] * subQuantizers;
      int to = scratchOffset + i * UNIT;
      LONG_OF_BYTES.set(scratch, to, codes.get(LONG, code));
      LONG_OF_BYTES.set(scratch, to + UNIT * BLOCK_SIZE, codes.get(LONG, code + UNIT));
    }
  }

  private static void gatherHeap(
      Object segment,
      long offset,
      int[] ords,
      int count,
      int subQuantizers,
      byte[] scratch,
      int scratchOffset) {
    MemorySegment codes = (MemorySegment) segment;
    for (int i = 0; i < count; i++) {
      long code = offset + (long) ords[i] * subQuantizers;
      int to = scratchOffset + i * UNIT;
      LONG_OF_BYTES.set(scratch, to, codes.get(LONG, code));
      LONG_OF_BYTES.set(scratch, to + UNIT * BLOCK_SIZE, codes.get(LONG, code + UNIT));
    }
  }

  /**
   * Of every 16 codes, whose units fill two registers, brings the first four sub-quantizers into
   * the one and the last four into the other: {@code [unit][code/16][half][sub-quantizer][16]}.
   *
   * <p>This, {@link #joinRows} and {@link #sumRows} are separate loops, although one would save
   * storing their results, because all operations of one were too many for the compiler.
   */
  private static void selectRows(byte[] units, int length) {
    for (int i = 0; i < length; i += 2 * BLOCK_SIZE) {
      ByteVector first = bytes(units, i);
      ByteVector second = bytes(units, i + BLOCK_SIZE);
      FIRST_ROWS.selectFrom(first, second).intoArray(units, i);
      LAST_ROWS.selectFrom(first, second).intoArray(units, i + BLOCK_SIZE);
    }
  }

  /** Joins the four parts of each row: {@code [unit][sub-quantizer][half][64]}. */
  private static void joinRows(byte[] units, int length) {
    for (int unit = 0; unit < length; unit += UNIT * BLOCK_SIZE) {
      for (int half = unit; half <= unit + BLOCK_SIZE; half += BLOCK_SIZE) {
        ByteVector q0 = bytes(units, half);
        ByteVector q1 = bytes(units, half + 2 * BLOCK_SIZE);
        ByteVector q2 = bytes(units, half + 4 * BLOCK_SIZE);
        ByteVector q3 = bytes(units, half + 6 * BLOCK_SIZE);
        ByteVector low0 = LOW_PAIRS.selectFrom(q0, q1);
        ByteVector high0 = HIGH_PAIRS.selectFrom(q0, q1);
        ByteVector low1 = LOW_PAIRS.selectFrom(q2, q3);
        ByteVector high1 = HIGH_PAIRS.selectFrom(q2, q3);
        LOW_HALVES.selectFrom(low0, low1).intoArray(units, half);
        HIGH_HALVES.selectFrom(low0, low1).intoArray(units, half + 2 * BLOCK_SIZE);
        LOW_HALVES.selectFrom(high0, high1).intoArray(units, half + 4 * BLOCK_SIZE);
        HIGH_HALVES.selectFrom(high0, high1).intoArray(units, half + 6 * BLOCK_SIZE);
      }
    }
  }

  /** Sums rows, of which sub-quantizers {@code m} and {@code m + 4} of a unit are neighbors. */
  private static void sumRows(byte[] units, int subQuantizers, byte[] levels, short[] sums) {
    ShortVector total = ShortVector.zero(SHORTS);
    ShortVector odd = total;
    for (int unit = 0; unit < subQuantizers; unit += UNIT) {
      for (int i = 0; i < UNIT / 2; i++) {
        int from = (unit + 2 * i) * BLOCK_SIZE;
        int table = (unit + i) * CODEBOOK_SIZE;
        int other = table + UNIT / 2 * CODEBOOK_SIZE;
        ShortVector pairs =
            pairs(
                lookUp(bytes(units, from), levels, table),
                lookUp(bytes(units, from + BLOCK_SIZE), levels, other));
        total = total.add(pairs);
        odd = odd.add(pairs.lanewise(VectorOperators.LSHR, 8));
      }
    }
    store(total, odd, sums, 0);
  }

  private static ByteVector bytes(byte[] array, int offset) {
    return ByteVector.fromArray(BYTES, array, offset);
  }
}
