package io.pq32.quantization;

import java.io.IOException;
import java.lang.constant.ConstantDescs;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The kernels in vector registers of one width.
 *
 * <p>The compiler keeps vectors in registers only while it knows their species as constants of the
 * class, and a species in an instance field makes every operation allocate. So each width is a
 * class of its own: this one has the width the processor prefers, {@link #ofWidth} defines copies
 * of it with other widths.
 *
 * <p>Methods are small and static on purpose: the same loops ran six times slower when they were
 * inlined into one large method. But what takes or returns a vector is called by kernels only, and
 * calls nothing but the Vector API. The compiler leaves out calls that it has seldom seen made, and
 * of a method that ran without a profile, as happens while the compiler is busy, it has seen none:
 * a kernel that such a method was inlined into boxed its vectors for as long as the JVM lived.
 */
final class VectorPqKernels extends ScalarPqKernels {
  /** Register width in bits. */
  static final int WIDTH = width();

  private static final VectorSpecies<Float> FLOATS = species(float.class);
  private static final VectorSpecies<Integer> INTS = species(int.class);
  private static final VectorSpecies<Byte> BYTES = species(byte.class);

  /** As many shorts as a register has floats. */
  private static final VectorSpecies<Short> HALF_SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(WIDTH / 2));

  /** As many bytes as a register has floats, where that is a register. */
  private static final VectorSpecies<Byte> FEW_BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, WIDTH / Float.BYTES)));

  /** Floats of one register. */
  private static final int LANES = FLOATS.length();

  /** Columns of one pass: eight sums keep two multiply-add units busy and fit 16 registers. */
  private static final int PANEL = 8 * LANES;

  /**
   * Columns of one pass over integers: 96 in the widest registers, of which the projected
   * dimensions are a multiple wherever there are six for each sub-quantizer.
   */
  private static final int INTEGER_PANEL = 6 * LANES;

  /** Columns of one pass over four rows: again eight sums. */
  private static final int STRIPE = 2 * LANES;

  /** The least float whose neighbor is 1 away. */
  private static final float NO_FRACTION = 0x1p23f;

  private static final IntVector LANE_NUMBERS = IntVector.zero(INTS).addIndex(1);

  /** Lane {@code i} takes lane {@code i + n}, around the end. */
  private static final VectorShuffle<Float> UPPER_8 = VectorShuffle.iota(FLOATS, 8, 1, true);

  private static final VectorShuffle<Float> UPPER_4 = VectorShuffle.iota(FLOATS, 4, 1, true);
  private static final VectorShuffle<Float> UPPER_2 = VectorShuffle.iota(FLOATS, 2, 1, true);

  /** Where byte {@code i} of four packed registers of ints belongs. */
  private static final VectorShuffle<Byte> PACKED = packed();

  VectorPqKernels() {}

  /**
   * The kernels at {@code bits} per register: 128, 256 or 512.
   *
   * @throws LinkageError when the process does not let us define the copy
   */
  static PqKernels ofWidth(int bits) {
    if (bits == WIDTH) {
      return new VectorPqKernels();
    }
    try (var bytes = VectorPqKernels.class.getResourceAsStream("VectorPqKernels.class")) {
      if (bytes == null) {
        throw new LinkageError("no access to the class file of the kernels");
      }
      var copy =
          MethodHandles.lookup().defineHiddenClassWithClassData(bytes.readAllBytes(), bits, true);
      return (PqKernels) copy.lookupClass().getDeclaredConstructor().newInstance();
    } catch (IOException | ReflectiveOperationException | SecurityException e) {
      throw new LinkageError("cannot define kernels of " + bits + " bits", e);
    }
  }

  private static int width() {
    try {
      Integer bits =
          MethodHandles.classData(
              MethodHandles.lookup(), ConstantDescs.DEFAULT_NAME, Integer.class);
      // Wider registers exist, but no table or block fills more than 512 bits.
      return bits == null ? Math.min(VectorShape.preferredShape().vectorBitSize(), 512) : bits;
    } catch (IllegalAccessException e) {
      throw new LinkageError("own class data", e);
    }
  }

  private static <E> VectorSpecies<E> species(Class<E> element) {
    return VectorSpecies.of(element, VectorShape.forBitSize(WIDTH));
  }

  private static VectorShuffle<Byte> packed() {
    return VectorShuffle.fromOp(BYTES, i -> i % LANES * Integer.BYTES + i / LANES);
  }

  @Override
  public String name() {
    return "vector" + WIDTH;
  }

  @Override
  public float dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
    int quads = length / (4 * LANES) * (4 * LANES);
    int lanes = length / LANES * LANES;
    float sum = quads > 0 ? dotQuads(a, aOffset, b, bOffset, quads) : 0;
    if (lanes > quads) {
      sum += dotLanes(a, aOffset + quads, b, bOffset + quads, lanes - quads);
    }
    for (int i = lanes; i < length; i++) {
      sum = Math.fma(a[aOffset + i], b[bOffset + i], sum);
    }
    return sum;
  }

  /**
   * Inner product, four registers at a time. One method with {@link #dotLanes} handed a register
   * from loop to loop, which was boxed in some callers.
   */
  private static float dotQuads(float[] a, int aOffset, float[] b, int bOffset, int length) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = FloatVector.zero(FLOATS);
    FloatVector s2 = FloatVector.zero(FLOATS);
    FloatVector s3 = FloatVector.zero(FLOATS);
    for (int i = 0; i < length; i += 4 * LANES) {
      s0 =
          FloatVector.fromArray(FLOATS, a, aOffset + i)
              .fma(FloatVector.fromArray(FLOATS, b, bOffset + i), s0);
      s1 =
          FloatVector.fromArray(FLOATS, a, aOffset + i + LANES)
              .fma(FloatVector.fromArray(FLOATS, b, bOffset + i + LANES), s1);
      s2 =
          FloatVector.fromArray(FLOATS, a, aOffset + i + 2 * LANES)
              .fma(FloatVector.fromArray(FLOATS, b, bOffset + i + 2 * LANES), s2);
      s3 =
          FloatVector.fromArray(FLOATS, a, aOffset + i + 3 * LANES)
              .fma(FloatVector.fromArray(FLOATS, b, bOffset + i + 3 * LANES), s3);
    }
    return sum(s0.add(s1).add(s2.add(s3)));
  }

  /** Inner product, one register at a time. */
  private static float dotLanes(float[] a, int aOffset, float[] b, int bOffset, int length) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < length; i += LANES) {
      sum =
          FloatVector.fromArray(FLOATS, a, aOffset + i)
              .fma(FloatVector.fromArray(FLOATS, b, bOffset + i), sum);
    }
    return sum(sum);
  }

  /**
   * The sum of all lanes, upper half onto lower half until one is left. The Vector API leaves the
   * order of its own sum open, and uses it: interpreted code adds one by one, compiled code in
   * pairs, so a codebook would depend on when its trainer was compiled.
   */
  private static float sum(FloatVector lanes) {
    if (LANES > 8) {
      lanes = lanes.add(lanes.rearrange(UPPER_8));
    }
    if (LANES > 4) {
      lanes = lanes.add(lanes.rearrange(UPPER_4));
    }
    lanes = lanes.add(lanes.rearrange(UPPER_2));
    return lanes.lane(0) + lanes.lane(1);
  }

  @Override
  public void multiplyAdd(
      float[] a,
      int aOffset,
      int rows,
      int inner,
      float[] b,
      int columns,
      float[] out,
      int outOffset) {
    int row = 0;
    for (int column = 0; column <= columns - STRIPE; column += STRIPE) {
      // A stripe of b stays in the second-level cache while all rows pass over it.
      for (row = 0; row <= rows - 4; row += 4) {
        int from = aOffset + row * inner;
        fourRows(a, from, inner, b, column, columns, out, outOffset + row * columns + column);
      }
    }
    int done = row == 0 ? 0 : columns / STRIPE * STRIPE;
    for (int i = 0; i < rows; i++) {
      int column = i < row ? done : 0;
      int from = aOffset + i * inner;
      int to = outOffset + i * columns;
      for (; column <= columns - PANEL; column += PANEL) {
        addPanel(a, from, inner, b, column, columns, out, to + column);
      }
      for (; column <= columns - PANEL / 2; column += PANEL / 2) {
        addHalfPanel(a, from, inner, b, column, columns, out, to + column);
      }
      for (; column <= columns - LANES; column += LANES) {
        lanes(a, from, inner, b, column, columns, out, to + column);
      }
      for (; column < columns; column++) {
        float sum = out[to + column];
        for (int k = 0; k < inner; k++) {
          sum = Math.fma(a[from + k], b[column + k * columns], sum);
        }
        out[to + column] = sum;
      }
    }
  }

  /** Four rows of {@code out}, one stripe wide: each load of {@code b} serves four rows. */
  private static void fourRows(
      float[] a, int a0, int inner, float[] b, int bOffset, int columns, float[] out, int out0) {
    int a1 = a0 + inner;
    int a2 = a1 + inner;
    int a3 = a2 + inner;
    int out1 = out0 + columns;
    int out2 = out1 + columns;
    int out3 = out2 + columns;
    FloatVector s00 = FloatVector.fromArray(FLOATS, out, out0);
    FloatVector s01 = FloatVector.fromArray(FLOATS, out, out0 + LANES);
    FloatVector s10 = FloatVector.fromArray(FLOATS, out, out1);
    FloatVector s11 = FloatVector.fromArray(FLOATS, out, out1 + LANES);
    FloatVector s20 = FloatVector.fromArray(FLOATS, out, out2);
    FloatVector s21 = FloatVector.fromArray(FLOATS, out, out2 + LANES);
    FloatVector s30 = FloatVector.fromArray(FLOATS, out, out3);
    FloatVector s31 = FloatVector.fromArray(FLOATS, out, out3 + LANES);
    for (int k = 0; k < inner; k++) {
      FloatVector b0 = FloatVector.fromArray(FLOATS, b, bOffset + k * columns);
      FloatVector b1 = FloatVector.fromArray(FLOATS, b, bOffset + k * columns + LANES);
      FloatVector factor = FloatVector.broadcast(FLOATS, a[a0 + k]);
      s00 = factor.fma(b0, s00);
      s01 = factor.fma(b1, s01);
      factor = FloatVector.broadcast(FLOATS, a[a1 + k]);
      s10 = factor.fma(b0, s10);
      s11 = factor.fma(b1, s11);
      factor = FloatVector.broadcast(FLOATS, a[a2 + k]);
      s20 = factor.fma(b0, s20);
      s21 = factor.fma(b1, s21);
      factor = FloatVector.broadcast(FLOATS, a[a3 + k]);
      s30 = factor.fma(b0, s30);
      s31 = factor.fma(b1, s31);
    }
    s00.intoArray(out, out0);
    s01.intoArray(out, out0 + LANES);
    s10.intoArray(out, out1);
    s11.intoArray(out, out1 + LANES);
    s20.intoArray(out, out2);
    s21.intoArray(out, out2 + LANES);
    s30.intoArray(out, out3);
    s31.intoArray(out, out3 + LANES);
  }

  /** Adds to one row of {@code out}, one panel wide. */
  private static void addPanel(
      float[] a,
      int aOffset,
      int inner,
      float[] b,
      int bOffset,
      int columns,
      float[] out,
      int outOffset) {
    FloatVector s0 = FloatVector.fromArray(FLOATS, out, outOffset);
    FloatVector s1 = FloatVector.fromArray(FLOATS, out, outOffset + LANES);
    FloatVector s2 = FloatVector.fromArray(FLOATS, out, outOffset + 2 * LANES);
    FloatVector s3 = FloatVector.fromArray(FLOATS, out, outOffset + 3 * LANES);
    FloatVector s4 = FloatVector.fromArray(FLOATS, out, outOffset + 4 * LANES);
    FloatVector s5 = FloatVector.fromArray(FLOATS, out, outOffset + 5 * LANES);
    FloatVector s6 = FloatVector.fromArray(FLOATS, out, outOffset + 6 * LANES);
    FloatVector s7 = FloatVector.fromArray(FLOATS, out, outOffset + 7 * LANES);
    for (int k = 0; k < inner; k++) {
      FloatVector factor = FloatVector.broadcast(FLOATS, a[aOffset + k]);
      int from = bOffset + k * columns;
      s0 = factor.fma(FloatVector.fromArray(FLOATS, b, from), s0);
      s1 = factor.fma(FloatVector.fromArray(FLOATS, b, from + LANES), s1);
      s2 = factor.fma(FloatVector.fromArray(FLOATS, b, from + 2 * LANES), s2);
      s3 = factor.fma(FloatVector.fromArray(FLOATS, b, from + 3 * LANES), s3);
      s4 = factor.fma(FloatVector.fromArray(FLOATS, b, from + 4 * LANES), s4);
      s5 = factor.fma(FloatVector.fromArray(FLOATS, b, from + 5 * LANES), s5);
      s6 = factor.fma(FloatVector.fromArray(FLOATS, b, from + 6 * LANES), s6);
      s7 = factor.fma(FloatVector.fromArray(FLOATS, b, from + 7 * LANES), s7);
    }
    s0.intoArray(out, outOffset);
    s1.intoArray(out, outOffset + LANES);
    s2.intoArray(out, outOffset + 2 * LANES);
    s3.intoArray(out, outOffset + 3 * LANES);
    s4.intoArray(out, outOffset + 4 * LANES);
    s5.intoArray(out, outOffset + 5 * LANES);
    s6.intoArray(out, outOffset + 6 * LANES);
    s7.intoArray(out, outOffset + 7 * LANES);
  }

  /** Adds to one row of {@code out}, half a panel wide. */
  private static void addHalfPanel(
      float[] a,
      int aOffset,
      int inner,
      float[] b,
      int bOffset,
      int columns,
      float[] out,
      int outOffset) {
    FloatVector s0 = FloatVector.fromArray(FLOATS, out, outOffset);
    FloatVector s1 = FloatVector.fromArray(FLOATS, out, outOffset + LANES);
    FloatVector s2 = FloatVector.fromArray(FLOATS, out, outOffset + 2 * LANES);
    FloatVector s3 = FloatVector.fromArray(FLOATS, out, outOffset + 3 * LANES);
    for (int k = 0; k < inner; k++) {
      FloatVector factor = FloatVector.broadcast(FLOATS, a[aOffset + k]);
      int from = bOffset + k * columns;
      s0 = factor.fma(FloatVector.fromArray(FLOATS, b, from), s0);
      s1 = factor.fma(FloatVector.fromArray(FLOATS, b, from + LANES), s1);
      s2 = factor.fma(FloatVector.fromArray(FLOATS, b, from + 2 * LANES), s2);
      s3 = factor.fma(FloatVector.fromArray(FLOATS, b, from + 3 * LANES), s3);
    }
    s0.intoArray(out, outOffset);
    s1.intoArray(out, outOffset + LANES);
    s2.intoArray(out, outOffset + 2 * LANES);
    s3.intoArray(out, outOffset + 3 * LANES);
  }

  /** One row of {@code out}, one register wide. */
  private static void lanes(
      float[] a,
      int aOffset,
      int inner,
      float[] b,
      int bOffset,
      int columns,
      float[] out,
      int outOffset) {
    FloatVector sum = FloatVector.fromArray(FLOATS, out, outOffset);
    for (int k = 0; k < inner; k++) {
      sum =
          FloatVector.broadcast(FLOATS, a[aOffset + k])
              .fma(FloatVector.fromArray(FLOATS, b, bOffset + k * columns), sum);
    }
    sum.intoArray(out, outOffset);
  }

  @Override
  public void multiplyIntegers(
      float[] vector,
      int vectorOffset,
      float unit,
      int inner,
      short[] matrix,
      int columns,
      float[] scales,
      float[] out,
      int outOffset) {
    int column = 0;
    for (; column <= columns - INTEGER_PANEL; column += INTEGER_PANEL) {
      integerPanel(
          vector,
          vectorOffset,
          unit,
          inner,
          matrix,
          column,
          columns,
          scales,
          out,
          outOffset + column);
    }
    for (; column < columns; column += LANES) {
      integerLanes(
          vector,
          vectorOffset,
          unit,
          inner,
          matrix,
          column,
          columns,
          scales,
          out,
          outOffset + column);
    }
  }

  private static void integerPanel(
      float[] vector,
      int vectorOffset,
      float unit,
      int inner,
      short[] matrix,
      int column,
      int columns,
      float[] scales,
      float[] out,
      int to) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    FloatVector s4 = s0;
    FloatVector s5 = s0;
    for (int k = 0; k < inner; k++) {
      FloatVector factor = FloatVector.broadcast(FLOATS, unit * vector[vectorOffset + k]);
      int from = k * columns + column;
      s0 = factor.fma(widened(matrix, from), s0);
      s1 = factor.fma(widened(matrix, from + LANES), s1);
      s2 = factor.fma(widened(matrix, from + 2 * LANES), s2);
      s3 = factor.fma(widened(matrix, from + 3 * LANES), s3);
      s4 = factor.fma(widened(matrix, from + 4 * LANES), s4);
      s5 = factor.fma(widened(matrix, from + 5 * LANES), s5);
    }
    s0.mul(FloatVector.fromArray(FLOATS, scales, column)).intoArray(out, to);
    s1.mul(FloatVector.fromArray(FLOATS, scales, column + LANES)).intoArray(out, to + LANES);
    s2.mul(FloatVector.fromArray(FLOATS, scales, column + 2 * LANES))
        .intoArray(out, to + 2 * LANES);
    s3.mul(FloatVector.fromArray(FLOATS, scales, column + 3 * LANES))
        .intoArray(out, to + 3 * LANES);
    s4.mul(FloatVector.fromArray(FLOATS, scales, column + 4 * LANES))
        .intoArray(out, to + 4 * LANES);
    s5.mul(FloatVector.fromArray(FLOATS, scales, column + 5 * LANES))
        .intoArray(out, to + 5 * LANES);
  }

  /** One register wide. Only a matrix of few rows has columns left over. */
  private static void integerLanes(
      float[] vector,
      int vectorOffset,
      float unit,
      int inner,
      short[] matrix,
      int column,
      int columns,
      float[] scales,
      float[] out,
      int to) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    for (int k = 0; k < inner; k++) {
      FloatVector factor = FloatVector.broadcast(FLOATS, unit * vector[vectorOffset + k]);
      int from = k * columns + column;
      s0 = factor.fma(widened(matrix, from), s0);
    }
    s0.mul(FloatVector.fromArray(FLOATS, scales, column)).intoArray(out, to);
  }

  private static FloatVector widened(short[] array, int offset) {
    return (FloatVector)
        ShortVector.fromArray(HALF_SHORTS, array, offset)
            .convertShape(VectorOperators.S2F, FLOATS, 0);
  }

  private static FloatVector widened(byte[] array, int offset) {
    return (FloatVector)
        ByteVector.fromArray(FEW_BYTES, array, offset).convertShape(VectorOperators.B2F, FLOATS, 0);
  }

  @Override
  public void innerProducts(
      float[] vector, byte[] codebooks, int subQuantizers, int subDimension, float[] out) {
    if (WIDTH < 256) { // four bytes are no register
      super.innerProducts(vector, codebooks, subQuantizers, subDimension, out);
      return;
    }
    for (int m = 0; m < subQuantizers; m++) {
      int row = m * subDimension;
      for (int c = 0; c < CODEBOOK_SIZE; c += PANEL) {
        centroidPanel(
            vector,
            row,
            subDimension,
            codebooks,
            row * CODEBOOK_SIZE + c,
            out,
            m * CODEBOOK_SIZE + c);
      }
    }
  }

  /** Inner products with the centroids of one panel. */
  private static void centroidPanel(
      float[] vector, int row, int inner, byte[] codebooks, int from, float[] out, int to) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    FloatVector s4 = s0;
    FloatVector s5 = s0;
    FloatVector s6 = s0;
    FloatVector s7 = s0;
    for (int d = 0; d < inner; d++) {
      FloatVector factor = FloatVector.broadcast(FLOATS, vector[row + d]);
      int c = from + d * CODEBOOK_SIZE;
      s0 = factor.fma(widened(codebooks, c), s0);
      s1 = factor.fma(widened(codebooks, c + LANES), s1);
      s2 = factor.fma(widened(codebooks, c + 2 * LANES), s2);
      s3 = factor.fma(widened(codebooks, c + 3 * LANES), s3);
      s4 = factor.fma(widened(codebooks, c + 4 * LANES), s4);
      s5 = factor.fma(widened(codebooks, c + 5 * LANES), s5);
      s6 = factor.fma(widened(codebooks, c + 6 * LANES), s6);
      s7 = factor.fma(widened(codebooks, c + 7 * LANES), s7);
    }
    s0.intoArray(out, to);
    s1.intoArray(out, to + LANES);
    s2.intoArray(out, to + 2 * LANES);
    s3.intoArray(out, to + 3 * LANES);
    s4.intoArray(out, to + 4 * LANES);
    s5.intoArray(out, to + 5 * LANES);
    s6.intoArray(out, to + 6 * LANES);
    s7.intoArray(out, to + 7 * LANES);
  }

  @Override
  public void nearest(
      float[] points,
      int pointsOffset,
      int pointsStride,
      int count,
      float[] codebook,
      int codebookOffset,
      int subDimension,
      float[] halfNorms,
      int halfNormsOffset,
      byte[] codes,
      int codesOffset,
      int codesStride) {
    for (int i = 0; i < count; i++) {
      codes[codesOffset + i * codesStride] =
          (byte)
              nearest(
                  points,
                  pointsOffset + i * pointsStride,
                  codebook,
                  codebookOffset,
                  subDimension,
                  halfNorms,
                  halfNormsOffset);
    }
  }

  private static int nearest(
      float[] points,
      int point,
      float[] codebook,
      int codebookOffset,
      int subDimension,
      float[] halfNorms,
      int halfNormsOffset) {
    FloatVector best = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    IntVector bestNumbers = IntVector.zero(INTS);
    // Four sums only: with eight the method grows beyond what the compiler keeps in registers, and
    // sums of the next pass fill the gaps anyway.
    for (int c = 0; c < CODEBOOK_SIZE; c += 4 * LANES) {
      int norms = halfNormsOffset + c;
      FloatVector v0 = FloatVector.fromArray(FLOATS, halfNorms, norms).neg();
      FloatVector v1 = FloatVector.fromArray(FLOATS, halfNorms, norms + LANES).neg();
      FloatVector v2 = FloatVector.fromArray(FLOATS, halfNorms, norms + 2 * LANES).neg();
      FloatVector v3 = FloatVector.fromArray(FLOATS, halfNorms, norms + 3 * LANES).neg();
      for (int d = 0; d < subDimension; d++) {
        FloatVector x = FloatVector.broadcast(FLOATS, points[point + d]);
        int from = codebookOffset + d * CODEBOOK_SIZE + c;
        v0 = x.fma(FloatVector.fromArray(FLOATS, codebook, from), v0);
        v1 = x.fma(FloatVector.fromArray(FLOATS, codebook, from + LANES), v1);
        v2 = x.fma(FloatVector.fromArray(FLOATS, codebook, from + 2 * LANES), v2);
        v3 = x.fma(FloatVector.fromArray(FLOATS, codebook, from + 3 * LANES), v3);
      }
      // Strictly greater: among equals of one lane the lowest number, met first, stays.
      VectorMask<Float> better = v0.compare(VectorOperators.GT, best);
      best = best.blend(v0, better);
      bestNumbers = bestNumbers.blend(c, better.cast(INTS));
      better = v1.compare(VectorOperators.GT, best);
      best = best.blend(v1, better);
      bestNumbers = bestNumbers.blend(c + LANES, better.cast(INTS));
      better = v2.compare(VectorOperators.GT, best);
      best = best.blend(v2, better);
      bestNumbers = bestNumbers.blend(c + 2 * LANES, better.cast(INTS));
      better = v3.compare(VectorOperators.GT, best);
      best = best.blend(v3, better);
      bestNumbers = bestNumbers.blend(c + 3 * LANES, better.cast(INTS));
    }
    // Adding zero makes -0 equal to +0, which their bits are not.
    return lowestOfBest(sortable(best.add(0f)), bestNumbers);
  }

  /**
   * The lowest number among the lanes of the largest key.
   *
   * @param firstNumbers of each lane the number it had if it were the first lane
   */
  private static int lowestOfBest(IntVector keys, IntVector firstNumbers) {
    VectorMask<Integer> winners =
        keys.compare(VectorOperators.EQ, keys.reduceLanes(VectorOperators.MAX));
    return IntVector.broadcast(INTS, CODEBOOK_SIZE)
        .blend(firstNumbers.add(LANE_NUMBERS), winners)
        .reduceLanes(VectorOperators.MIN);
  }

  @Override
  int best(
      float[] points,
      float[] directions,
      int point,
      float[] codebook,
      int codebookOffset,
      int subDimension,
      float[] halfNorms,
      int halfNormsOffset,
      float weight,
      float slack) {
    FloatVector best = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    IntVector bestNumbers = IntVector.zero(INTS);
    for (int c = 0; c < CODEBOOK_SIZE; c += 2 * LANES) {
      FloatVector v0 = FloatVector.fromArray(FLOATS, halfNorms, halfNormsOffset + c).neg();
      FloatVector v1 = FloatVector.fromArray(FLOATS, halfNorms, halfNormsOffset + c + LANES).neg();
      FloatVector e0 = FloatVector.broadcast(FLOATS, -slack);
      FloatVector e1 = e0;
      for (int d = 0; d < subDimension; d++) {
        int from = codebookOffset + d * CODEBOOK_SIZE + c;
        FloatVector x = FloatVector.broadcast(FLOATS, points[point + d]);
        FloatVector u = FloatVector.broadcast(FLOATS, directions[point + d]);
        FloatVector c0 = FloatVector.fromArray(FLOATS, codebook, from);
        FloatVector c1 = FloatVector.fromArray(FLOATS, codebook, from + LANES);
        v0 = x.fma(c0, v0);
        e0 = u.fma(c0, e0);
        v1 = x.fma(c1, v1);
        e1 = u.fma(c1, e1);
      }
      v0 = e0.mul(-weight).fma(e0, v0);
      v1 = e1.mul(-weight).fma(e1, v1);
      VectorMask<Float> better = v0.compare(VectorOperators.GT, best);
      best = best.blend(v0, better);
      bestNumbers = bestNumbers.blend(c, better.cast(INTS));
      better = v1.compare(VectorOperators.GT, best);
      best = best.blend(v1, better);
      bestNumbers = bestNumbers.blend(c + LANES, better.cast(INTS));
    }
    return lowestOfBest(sortable(best.add(0f)), bestNumbers);
  }

  /** Ints in the order of the floats. Integer minima and maxima take a third of the time. */
  private static IntVector sortable(FloatVector values) {
    IntVector bits = values.reinterpretAsInts();
    return bits.lanewise(
        VectorOperators.XOR, bits.lanewise(VectorOperators.ASHR, 31).and(Integer.MAX_VALUE));
  }

  private static float unsort(int key) {
    return Float.intBitsToFloat(key ^ key >> 31 & Integer.MAX_VALUE);
  }

  @Override
  public float quantize(float[] table, int subQuantizers, float[] minima, byte[] levels) {
    float range = ranges(table, subQuantizers, minima);
    float scale = scale(range);
    for (int m = 0; m < subQuantizers; m++) {
      levels(table, m * CODEBOOK_SIZE, minima[m], scale, levels);
    }
    return scale;
  }

  private static float ranges(float[] table, int subQuantizers, float[] minima) {
    float range = 0;
    for (int m = 0; m < subQuantizers; m++) {
      int from = m * CODEBOOK_SIZE;
      IntVector least = sortable(FloatVector.fromArray(FLOATS, table, from));
      IntVector greatest = least;
      for (int c = LANES; c < CODEBOOK_SIZE; c += LANES) {
        IntVector keys = sortable(FloatVector.fromArray(FLOATS, table, from + c));
        least = least.min(keys);
        greatest = greatest.max(keys);
      }
      minima[m] = unsort(least.reduceLanes(VectorOperators.MIN));
      range = Math.max(range, unsort(greatest.reduceLanes(VectorOperators.MAX)) - minima[m]);
    }
    return range;
  }

  private static void levels(float[] table, int offset, float min, float scale, byte[] levels) {
    for (int c = 0; c < CODEBOOK_SIZE; c += 4 * LANES) {
      int from = offset + c;
      IntVector l0 = level(table, from, min, scale);
      IntVector l1 = level(table, from + LANES, min, scale);
      IntVector l2 = level(table, from + 2 * LANES, min, scale);
      IntVector l3 = level(table, from + 3 * LANES, min, scale);
      l0.or(l1.lanewise(VectorOperators.LSHL, 8))
          .or(l2.lanewise(VectorOperators.LSHL, 16).or(l3.lanewise(VectorOperators.LSHL, 24)))
          .reinterpretAsBytes()
          .rearrange(PACKED)
          .intoArray(levels, from);
    }
  }

  /**
   * Multiplies and adds in two roundings, as the definition does. The second one leaves an integer
   * in the low bits of the float: nothing is left of its fraction.
   */
  private static IntVector level(float[] table, int offset, float min, float scale) {
    return FloatVector.fromArray(FLOATS, table, offset)
        .sub(min)
        .mul(scale)
        .add(NO_FRACTION)
        .reinterpretAsInts()
        .and(0xFF);
  }

  @Override
  public void scan(
      MemorySegment codes,
      long offset,
      int blocks,
      int subQuantizers,
      byte[] levels,
      short[] sums) {
    switch (WIDTH) {
      case 512 -> VectorLookup512.scan(codes, offset, blocks, subQuantizers, levels, sums);
      case 256 -> VectorLookup256.scan(codes, offset, blocks, subQuantizers, levels, sums);
      default -> super.scan(codes, offset, blocks, subQuantizers, levels, sums);
    }
  }

  @Override
  public void scanBlocks(
      MemorySegment codes,
      long offset,
      int[] blocks,
      int first,
      int count,
      int subQuantizers,
      byte[] levels,
      int threshold,
      short[] sums,
      long[] above) {
    // No sum is below zero or above 32767.
    short bound = (short) Math.clamp(threshold, -1, Short.MAX_VALUE);
    switch (WIDTH) {
      case 512 ->
          VectorLookup512.scanBlocks(
              codes, offset, blocks, first, count, subQuantizers, levels, bound, sums, above);
      case 256 ->
          VectorLookup256.scanBlocks(
              codes, offset, blocks, first, count, subQuantizers, levels, bound, sums, above);
      default ->
          super.scanBlocks(
              codes, offset, blocks, first, count, subQuantizers, levels, threshold, sums, above);
    }
  }

  @Override
  public void score(
      MemorySegment codes,
      long offset,
      int[] ords,
      int count,
      int subQuantizers,
      byte[] levels,
      byte[] scratch,
      short[] sums) {
    if (WIDTH == 512) {
      VectorLookup512.score(codes, offset, ords, count, subQuantizers, levels, scratch, sums);
    } else {
      super.score(codes, offset, ords, count, subQuantizers, levels, scratch, sums);
    }
  }
}
