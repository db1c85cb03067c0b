package io.pq32.quantization;

import static io.pq32.quantization.PqKernels.BLOCK_SIZE;
import static io.pq32.quantization.PqKernels.CODEBOOK_SIZE;
import static io.pq32.quantization.PqKernels.MAX_LEVEL;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Do all kernels compute what the plain loops define? */
@ExtendWith(SeededRandom.class)
class PqKernelsTest {
  private static final PqKernels ORACLE = new ScalarPqKernels();
  private static final int[] SUB_QUANTIZERS = {16, 32, 48, 64, 96};

  /** Every length around the register widths, and the dimensions of real embeddings. */
  private static final int[] LENGTHS =
      IntStream.concat(
              IntStream.rangeClosed(0, 70), IntStream.of(96, 100, 128, 384, 768, 1024, 1536))
          .toArray();

  /** Sub-dimensions of 32 sub-quantizers over 32 to 768 dimensions, and some that are odd. */
  private static final int[] SUB_DIMENSIONS =
      IntStream.concat(IntStream.rangeClosed(1, 24), IntStream.of(31, 32, 48, 65)).toArray();

  private static final Arena ARENA = Arena.ofAuto();

  static List<PqKernels> kernels() {
    return List.of(
        ORACLE,
        VectorPqKernels.ofWidth(128),
        VectorPqKernels.ofWidth(256),
        VectorPqKernels.ofWidth(512));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void multipliesEveryLengthFromAnyOffset(PqKernels kernels, Random random) {
    for (int length : LENGTHS) {
      int aOffset = random.nextInt(20);
      int bOffset = random.nextInt(20);
      // Both arrays end with the last element: reading on throws.
      float[] a = floats(random, aOffset + length);
      float[] b = floats(random, bOffset + length);
      assertClose(
          exactDot(a, aOffset, b, bOffset, 1, length),
          kernels.dot(a, aOffset, b, bOffset, length),
          "length " + length);
    }
  }

  /** Else files would depend on how far the compiler was when a codebook was trained. */
  @ParameterizedTest
  @ValueSource(ints = {128, 256, 512})
  void addsProductsInOneOrderInterpretedOrCompiled(int width, Random random) {
    PqKernels kernels = VectorPqKernels.ofWidth(width);
    for (int length : LENGTHS) {
      float[] a = floats(random, length);
      float[] b = floats(random, length);
      float expected = dotInLanes(a, b, width / Float.SIZE);
      assertEquals(expected, kernels.dot(a, 0, b, 0, length), "length " + length);
    }
  }

  /** Four registers a pass, then one, then single elements; registers are summed half by half. */
  private static float dotInLanes(float[] a, float[] b, int lanes) {
    int done = 0;
    float total = 0;
    for (int registers : new int[] {4, 1}) {
      float[] sums = new float[registers * lanes];
      int end = a.length / sums.length * sums.length;
      if (end > done) {
        for (; done < end; done++) {
          sums[done % sums.length] = Math.fma(a[done], b[done], sums[done % sums.length]);
        }
        if (registers == 4) {
          for (int i = 0; i < lanes; i++) {
            sums[i] = sums[i] + sums[i + lanes] + (sums[i + 2 * lanes] + sums[i + 3 * lanes]);
          }
        }
        for (int half = lanes / 2; half > 0; half /= 2) {
          for (int i = 0; i < half; i++) {
            sums[i] += sums[i + half];
          }
        }
        total += sums[0];
      }
    }
    for (; done < a.length; done++) {
      total = Math.fma(a[done], b[done], total);
    }
    return total;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void multipliesMatricesOfEveryShape(PqKernels kernels, Random random) {
    for (int rows : new int[] {0, 1, 2, 3, 4, 5, 7, 8, 11}) {
      for (int columns : LENGTHS) {
        int inner = random.nextInt(12);
        int aOffset = random.nextInt(5);
        int outOffset = random.nextInt(5);
        float[] a = floats(random, aOffset + rows * inner);
        float[] b = floats(random, inner * columns);
        float[] out = floats(random, outOffset + rows * columns);
        float[] before = out.clone();
        kernels.multiplyAdd(a, aOffset, rows, inner, b, columns, out, outOffset);
        for (int i = 0; i < outOffset; i++) {
          assertEquals(before[i], out[i]);
        }
        for (int row = 0; row < rows; row++) {
          for (int column = 0; column < columns; column++) {
            int i = outOffset + row * columns + column;
            Bounded product = exactDot(a, aOffset + row * inner, b, column, columns, inner);
            assertClose(
                product.plus(before[i]),
                out[i],
                rows + "x" + inner + "x" + columns + " at " + row + "," + column);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void multipliesIntegersOfEveryShape(PqKernels kernels, Random random) {
    for (int columns = 0; columns <= 6 * 96; columns += 16) {
      int inner = random.nextInt(columns + 2);
      int vectorOffset = random.nextInt(5);
      int outOffset = random.nextInt(5);
      float unit = Math.scalb(1f, random.nextInt(-9, 4));
      float[] vector = floats(random, vectorOffset + inner);
      short[] matrix = shorts(random, inner * columns);
      float[] scales = floats(random, columns);
      float[] out = floats(random, outOffset + columns);
      float[] before = out.clone();
      kernels.multiplyIntegers(
          vector, vectorOffset, unit, inner, matrix, columns, scales, out, outOffset);
      assertArrayEquals(Arrays.copyOf(before, outOffset), Arrays.copyOf(out, outOffset));
      for (int column = 0; column < columns; column++) {
        double scale = (double) scales[column] * unit;
        Bounded product = new Bounded(0, 0, 1); // the scale rounds once more
        for (int k = 0; k < inner; k++) {
          product =
              product.plus(
                  (double) vector[vectorOffset + k] * matrix[k * columns + column] * scale);
        }
        // The unit may round a factor to a multiple of the least denormal.
        double slack = Math.abs(Short.MIN_VALUE * scales[column]) * inner * Float.MIN_VALUE;
        assertEquals(
            product.value,
            out[outOffset + column],
            product.bound() + slack,
            inner + "x" + columns + " at " + column);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void multipliesEveryCentroid(PqKernels kernels, Random random) {
    for (int subDimension : SUB_DIMENSIONS) {
      int subQuantizers = 16;
      float[] vector = floats(random, subQuantizers * subDimension);
      byte[] codebooks = bytes(random, subQuantizers * subDimension * CODEBOOK_SIZE);
      float[] centroids = new float[codebooks.length];
      for (int i = 0; i < centroids.length; i++) {
        centroids[i] = codebooks[i];
      }
      float[] out = floats(random, subQuantizers * CODEBOOK_SIZE);
      kernels.innerProducts(vector, codebooks, subQuantizers, subDimension, out);
      for (int m = 0; m < subQuantizers; m++) {
        for (int c = 0; c < CODEBOOK_SIZE; c++) {
          int row = m * subDimension;
          assertClose(
              exactDot(
                  vector, row, centroids, row * CODEBOOK_SIZE + c, CODEBOOK_SIZE, subDimension),
              out[m * CODEBOOK_SIZE + c],
              "sub-dimension " + subDimension + " at " + m + "," + c);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void findsTheNearestCentroid(PqKernels kernels, Random random) {
    for (int subDimension : SUB_DIMENSIONS) {
      int count = random.nextInt(9);
      int stride = subDimension + random.nextInt(9);
      int codesStride = 1 + random.nextInt(4);
      // Small integers: no rounding, many ties.
      float[] points = integers(random, 3 + count * stride, 3);
      float[] codebook = integers(random, 5 + subDimension * CODEBOOK_SIZE, 3);
      float[] halfNorms = integers(random, 7 + CODEBOOK_SIZE, 9);
      byte[] expected = new byte[2 + count * codesStride];
      byte[] actual = new byte[2 + count * codesStride];
      ORACLE.nearest(
          points,
          3,
          stride,
          count,
          codebook,
          5,
          subDimension,
          halfNorms,
          7,
          expected,
          2,
          codesStride);
      kernels.nearest(
          points,
          3,
          stride,
          count,
          codebook,
          5,
          subDimension,
          halfNorms,
          7,
          actual,
          2,
          codesStride);
      assertArrayEquals(expected, actual, "sub-dimension " + subDimension);
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void choosesCentroidsAgainThatMakeUpForTheOthers(PqKernels kernels, Random random) {
    for (int subDimension : SUB_DIMENSIONS) {
      int count = random.nextInt(9);
      int stride = subDimension + random.nextInt(9);
      int codesStride = 1 + random.nextInt(4);
      // Small integers: no rounding, many ties.
      float[] points = integers(random, 3 + count * stride, 3);
      float[] directions = integers(random, points.length, 3);
      float[] codebook = integers(random, 5 + subDimension * CODEBOOK_SIZE, 3);
      float[] halfNorms = integers(random, 7 + CODEBOOK_SIZE, 9);
      float[] expectedErrors = integers(random, count, 50);
      float[] errors = expectedErrors.clone();
      byte[] expected = bytes(random, 2 + count * codesStride);
      byte[] actual = expected.clone();
      for (int round = 0; round < 2; round++) {
        refine(ORACLE, points, directions, stride, codebook, halfNorms, expectedErrors, expected);
        refine(kernels, points, directions, stride, codebook, halfNorms, errors, actual);
        assertArrayEquals(expected, actual, "sub-dimension " + subDimension);
        assertArrayEquals(expectedErrors, errors, "sub-dimension " + subDimension);
      }
    }
  }

  private static void refine(
      PqKernels kernels,
      float[] points,
      float[] directions,
      int stride,
      float[] codebook,
      float[] halfNorms,
      float[] errors,
      byte[] codes) {
    int count = errors.length;
    int subDimension = codebook.length / CODEBOOK_SIZE;
    int codesStride = count == 0 ? 1 : (codes.length - 2) / count;
    kernels.refine(
        points,
        directions,
        3,
        stride,
        count,
        codebook,
        5,
        subDimension,
        halfNorms,
        7,
        1.5f,
        errors,
        codes,
        2,
        codesStride);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void keepsCentroidsWhereErrorsAreAbsurd(PqKernels kernels, Random random) {
    float[] points = floats(random, 3 + 8);
    float[] codebook = floats(random, 5 + 8 * CODEBOOK_SIZE);
    float[] halfNorms = floats(random, 7 + CODEBOOK_SIZE);
    for (float absurd : new float[] {1.1e15f, -1e38f, Float.NEGATIVE_INFINITY, Float.NaN}) {
      float[] errors = {absurd};
      byte[] code = {0, 0, 17};
      refine(kernels, points, points, 8, codebook, halfNorms, errors, code);
      assertEquals(17, code[2]);
      assertEquals(absurd, errors[0]);
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void takesTheLowestOfEqualCentroids(PqKernels kernels, Random random) {
    float[] point = {1f};
    for (int first = 0; first < CODEBOOK_SIZE; first++) {
      float[] codebook = new float[CODEBOOK_SIZE];
      Arrays.fill(codebook, -1f);
      codebook[first] = -0f;
      for (int i = first + 1; i < CODEBOOK_SIZE; i++) {
        codebook[i] = random.nextInt(4) == 0 ? 0f : -1f;
      }
      byte[] code = new byte[1];
      kernels.nearest(point, 0, 1, 1, codebook, 0, 1, new float[CODEBOOK_SIZE], 0, code, 0, 1);
      assertEquals(first, code[0] & 0xFF);
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void takesCentroidZeroWhenNothingIsFinite(PqKernels kernels) {
    float[] halfNorms = new float[CODEBOOK_SIZE];
    Arrays.fill(halfNorms, Float.POSITIVE_INFINITY);
    byte[] code = {1};
    kernels.nearest(
        new float[1], 0, 1, 1, new float[CODEBOOK_SIZE], 0, 1, halfNorms, 0, code, 0, 1);
    assertEquals(0, code[0]);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void quantizesBitForBit(PqKernels kernels, Random random) {
    float[] spreads = {0f, Float.MIN_VALUE, 1e-40f, 1e-30f, 1e-3f, 1f, 1e3f, 1e30f, 1e38f};
    for (int subQuantizers : SUB_QUANTIZERS) {
      for (float spread : spreads) {
        float[] table = floats(random, subQuantizers * CODEBOOK_SIZE);
        for (int i = 0; i < table.length; i++) {
          table[i] *= spread;
        }
        // One sub-quantizer away from zero, one with a single value.
        for (int c = 0; c < CODEBOOK_SIZE; c++) {
          table[CODEBOOK_SIZE + c] += 100 * spread;
          table[2 * CODEBOOK_SIZE + c] = spread;
        }
        assertQuantizesAlike(kernels, table, subQuantizers);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void quantizesHalvesToEven(PqKernels kernels) {
    float[] table = new float[16 * CODEBOOK_SIZE];
    for (int i = 0; i < table.length; i++) {
      // Range 127, so the scale is 1 and every second entry lies between two levels.
      table[i] = i % CODEBOOK_SIZE == 255 ? 127f : i % CODEBOOK_SIZE / 2f;
    }
    byte[] levels = assertQuantizesAlike(kernels, table, 16);
    assertEquals(0, levels[1]);
    assertEquals(2, levels[3]);
    assertEquals(2, levels[5]);
    assertEquals(MAX_LEVEL, levels[255]);
  }

  private static byte[] assertQuantizesAlike(PqKernels kernels, float[] table, int subQuantizers) {
    float[] expectedMinima = new float[subQuantizers];
    float[] minima = new float[subQuantizers];
    byte[] expected = new byte[table.length];
    byte[] levels = new byte[table.length];
    float expectedScale = ORACLE.quantize(table, subQuantizers, expectedMinima, expected);
    float scale = kernels.quantize(table, subQuantizers, minima, levels);
    assertEquals(Float.floatToIntBits(expectedScale), Float.floatToIntBits(scale));
    assertArrayEquals(expectedMinima, minima);
    assertArrayEquals(expected, levels);
    for (byte level : levels) {
      assertTrue(level >= 0, "level " + level);
    }
    return levels;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void scansWhatTheLoopsScan(PqKernels kernels, Random random) {
    for (int subQuantizers : SUB_QUANTIZERS) {
      for (int blocks : new int[] {0, 1, 2, 5}) {
        byte[] levels = levels(random, subQuantizers);
        int size = blocks * subQuantizers * BLOCK_SIZE;
        for (MemorySegment codes : segments(random, size)) {
          long offset = codes.byteSize() - size;
          short[] expected = shorts(random, blocks * BLOCK_SIZE);
          short[] sums = shorts(random, blocks * BLOCK_SIZE);
          ORACLE.scan(codes, offset, blocks, subQuantizers, levels, expected);
          kernels.scan(codes, offset, blocks, subQuantizers, levels, sums);
          assertArrayEquals(expected, sums, subQuantizers + " sub-quantizers");
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void scoresWhatTheLoopsScore(PqKernels kernels, Random random) {
    for (int subQuantizers : SUB_QUANTIZERS) {
      byte[] levels = levels(random, subQuantizers);
      byte[] scratch = new byte[BLOCK_SIZE * subQuantizers];
      random.nextBytes(scratch);
      for (int count = 0; count <= BLOCK_SIZE; count++) {
        int codeCount = 1 + random.nextInt(200);
        int size = codeCount * subQuantizers;
        int[] ords = random.ints(count, 0, codeCount).toArray();
        if (count > 0) {
          // The last code ends where the memory ends.
          ords[random.nextInt(count)] = codeCount - 1;
        }
        for (MemorySegment codes : segments(random, size)) {
          long offset = codes.byteSize() - size;
          short[] expected = new short[BLOCK_SIZE];
          short[] sums = new short[BLOCK_SIZE];
          ORACLE.score(
              codes,
              offset,
              ords,
              count,
              subQuantizers,
              levels,
              new byte[scratch.length],
              expected);
          kernels.score(codes, offset, ords, count, subQuantizers, levels, scratch, sums);
          assertArrayEquals(Arrays.copyOf(expected, count), Arrays.copyOf(sums, count));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void sumsTheHighestLevelsWithoutOverflow(PqKernels kernels) {
    for (int subQuantizers : SUB_QUANTIZERS) {
      byte[] levels = new byte[subQuantizers * CODEBOOK_SIZE];
      Arrays.fill(levels, (byte) MAX_LEVEL);
      byte[] codes = new byte[BLOCK_SIZE * subQuantizers];
      Arrays.fill(codes, (byte) -1);
      short[] expected = new short[BLOCK_SIZE];
      Arrays.fill(expected, (short) (subQuantizers * MAX_LEVEL));
      short[] sums = new short[BLOCK_SIZE];
      kernels.scan(MemorySegment.ofArray(codes), 0, 1, subQuantizers, levels, sums);
      assertArrayEquals(expected, sums);
      Arrays.fill(sums, (short) 0);
      kernels.score(
          MemorySegment.ofArray(codes),
          0,
          IntStream.range(0, BLOCK_SIZE).toArray(),
          BLOCK_SIZE,
          subQuantizers,
          levels,
          new byte[BLOCK_SIZE * subQuantizers],
          sums);
      assertArrayEquals(expected, sums);
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void scansBlocksAnywhereAsTheLoopsDo(PqKernels kernels, Random random) {
    for (int subQuantizers : SUB_QUANTIZERS) {
      byte[] levels = levels(random, subQuantizers);
      for (int[] blocks : new int[][] {{}, {2}, {0, 2}, {2, 2, 0}, {1, 0, 2, 1}}) {
        // The last block ends where the memory ends.
        int size = 3 * subQuantizers * BLOCK_SIZE;
        for (MemorySegment codes : segments(random, size)) {
          long offset = codes.byteSize() - size;
          short[] all = new short[3 * BLOCK_SIZE];
          ORACLE.scan(codes, offset, 3, subQuantizers, levels, all);
          int first = random.nextInt(3);
          int[] numbers = new int[first + blocks.length + 1];
          Arrays.fill(numbers, Integer.MIN_VALUE); // for those not asked for
          System.arraycopy(blocks, 0, numbers, first, blocks.length);
          for (int threshold : thresholds(all)) {
            short[] sums = shorts(random, (blocks.length + 1) * BLOCK_SIZE);
            short[] expected = sums.clone();
            long[] above = random.longs(blocks.length + 1).toArray();
            long[] expectedAbove = above.clone();
            for (int i = 0; i < blocks.length; i++) {
              int from = blocks[i] * BLOCK_SIZE;
              System.arraycopy(all, from, expected, i * BLOCK_SIZE, BLOCK_SIZE);
              expectedAbove[i] = above(all, from, threshold);
            }
            kernels.scanBlocks(
                codes,
                offset,
                numbers,
                first,
                blocks.length,
                subQuantizers,
                levels,
                threshold,
                sums,
                above);
            assertArrayEquals(expected, sums, subQuantizers + " sub-quantizers");
            assertArrayEquals(expectedAbove, above, "above " + threshold);
          }
        }
      }
    }
  }

  /** Every sum and its neighbors, the bounds of a short, and what no short can be. */
  private static int[] thresholds(short[] sums) {
    IntStream.Builder thresholds = IntStream.builder();
    for (short sum : sums) {
      thresholds.add(sum - 1).add(sum).add(sum + 1);
    }
    return IntStream.concat(
            thresholds.build(),
            IntStream.of(
                Integer.MIN_VALUE,
                Short.MIN_VALUE - 1,
                Short.MIN_VALUE,
                -1,
                0,
                Short.MAX_VALUE,
                Short.MAX_VALUE + 1,
                Integer.MAX_VALUE))
        .toArray();
  }

  private static long above(short[] sums, int from, int threshold) {
    long above = 0;
    for (int i = 0; i < BLOCK_SIZE; i++) {
      above |= sums[from + i] > threshold ? 1L << i : 0;
    }
    return above;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void findsTheHighestSumAboveAllButItself(PqKernels kernels) {
    for (int subQuantizers : SUB_QUANTIZERS) {
      byte[] levels = new byte[subQuantizers * CODEBOOK_SIZE];
      Arrays.fill(levels, (byte) MAX_LEVEL);
      MemorySegment codes = MemorySegment.ofArray(new byte[BLOCK_SIZE * subQuantizers]);
      int sum = subQuantizers * MAX_LEVEL;
      int[] blocks = {0, 0};
      short[] sums = new short[2 * BLOCK_SIZE];
      long[] above = new long[2];
      kernels.scanBlocks(codes, 0, blocks, 0, 2, subQuantizers, levels, sum - 1, sums, above);
      assertArrayEquals(new long[] {-1, -1}, above);
      kernels.scanBlocks(codes, 0, blocks, 0, 2, subQuantizers, levels, sum, sums, above);
      assertArrayEquals(new long[2], above);
    }
  }

  static float[] floats(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] =
          switch (random.nextInt(40)) {
            case 0 -> 0f;
            case 1 -> -0f;
            case 2 -> Float.MIN_VALUE;
            case 3 -> -Float.MIN_NORMAL / 3;
            default -> (float) random.nextGaussian();
          };
    }
    return values;
  }

  private static float[] integers(Random random, int length, int bound) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextInt(-bound, bound + 1);
    }
    return values;
  }

  static byte[] levels(Random random, int subQuantizers) {
    byte[] levels = new byte[subQuantizers * CODEBOOK_SIZE];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = (byte) random.nextInt(MAX_LEVEL + 1);
    }
    return levels;
  }

  static byte[] bytes(Random random, int length) {
    byte[] values = new byte[length];
    random.nextBytes(values);
    return values;
  }

  static short[] shorts(Random random, int length) {
    short[] values = new short[length];
    for (int i = 0; i < length; i++) {
      values[i] = (short) random.nextInt();
    }
    return values;
  }

  /**
   * Random bytes at an odd place that end with the memory they are in: on the heap, off it, and in
   * a mapped file.
   */
  private static List<MemorySegment> segments(Random random, int size) {
    byte[] bytes = new byte[random.nextInt(64) + size];
    random.nextBytes(bytes);
    MemorySegment outside = ARENA.allocate(bytes.length + 1);
    MemorySegment.copy(bytes, 0, outside, ValueLayout.JAVA_BYTE, 1, bytes.length);
    return List.of(MemorySegment.ofArray(bytes), outside.asSlice(1), mapped(bytes));
  }

  private static MemorySegment mapped(byte[] bytes) {
    try {
      Path file = Files.createTempFile(null, null);
      file.toFile().deleteOnExit();
      Files.write(file, bytes);
      try (FileChannel channel = FileChannel.open(file)) {
        return channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes.length, ARENA);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A sum in double precision and the sum of the magnitudes of its terms. */
  private record Bounded(double value, double magnitude, int terms) {
    Bounded plus(double term) {
      return new Bounded(value + term, magnitude + Math.abs(term), terms + 1);
    }

    /**
     * Each of n products and n additions in any order is off by half a unit in the last place, each
     * product also by half the least denormal.
     */
    double bound() {
      return 2 * terms * (Math.ulp(1f) / 2) * magnitude + terms * Float.MIN_VALUE;
    }
  }

  private static Bounded exactDot(
      float[] a, int aOffset, float[] b, int bOffset, int bStride, int length) {
    Bounded sum = new Bounded(0, 0, 0);
    for (int i = 0; i < length; i++) {
      sum = sum.plus((double) a[aOffset + i] * b[bOffset + i * bStride]);
    }
    return sum;
  }

  private static void assertClose(Bounded expected, float actual, String what) {
    assertEquals(expected.value, actual, expected.bound(), what);
  }
}
