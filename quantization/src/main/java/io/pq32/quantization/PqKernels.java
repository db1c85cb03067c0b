package io.pq32.quantization;

import java.lang.foreign.MemorySegment;

/**
 * The hot loops of product quantization: table building, encoding, scoring of codes.
 *
 * <p>{@link #instance()} is chosen once per JVM, when it is first needed: by what the processor can
 * do and a test that it does it, fast and right. The choice and its reason are logged, and {@code
 * -Dpq32.kernels=scalar|vector|vector128|vector256|vector512} overrides it. Arrays are row-major
 * and their layout stands behind each parameter in brackets. A codebook always holds {@value
 * #CODEBOOK_SIZE} centroids, stored dimension by dimension so that one load brings the same
 * dimension of many centroids. Nothing here allocates, and nothing here checks more than Java
 * itself does: callers own the sizes.
 *
 * <p>Integer results ({@link #scan}, {@link #scanBlocks}, {@link #score}) are the same bits in
 * every implementation. Float results differ by rounding only, and those of one implementation are
 * the same bits whether interpreted or compiled: what is trained and encoded depends on them.
 */
public abstract class PqKernels {
  /** Centroids of one sub-quantizer: what 8 bits can name. */
  public static final int CODEBOOK_SIZE = 256;

  /** Codes of one transposed block, and the most ordinals of one {@link #score} call. */
  public static final int BLOCK_SIZE = 64;

  /** Highest level of a quantized table: two of them still add up within one unsigned byte. */
  public static final int MAX_LEVEL = 127;

  /** Largest error of {@link #refine}, whose squares stay far within the range of a float. */
  static final float MAX_ERROR = 1e15f;

  PqKernels() {}

  /** The implementation this JVM uses. */
  public static PqKernels instance() {
    return KernelChoice.CHOSEN;
  }

  /**
   * The implementation of that name, to compare it with others; names are those of {@code
   * -Dpq32.kernels}.
   */
  public static PqKernels named(String name) {
    return KernelChoice.choose(name).kernels();
  }

  /** Names implementation and register width, for logs and reports. */
  public abstract String name();

  /**
   * Inner product of {@code a[aOffset..]} and {@code b[bOffset..]} over {@code length} elements.
   */
  public abstract float dot(float[] a, int aOffset, float[] b, int bOffset, int length);

  /**
   * Adds the matrix product {@code a x b} to {@code out}.
   *
   * @param a left factor {@code [rows][inner]}, from {@code aOffset}
   * @param b right factor {@code [inner][columns]}
   * @param out sum {@code [rows][columns]}, from {@code outOffset}
   */
  public abstract void multiplyAdd(
      float[] a,
      int aOffset,
      int rows,
      int inner,
      float[] b,
      int columns,
      float[] out,
      int outOffset);

  /**
   * Product of a vector and a matrix of integers: {@code out[c] = scales[c] * sum over k of unit *
   * vector[k] * matrix[k][c]}. One vector takes as long as the matrix takes to read, and integers
   * are half as many bytes as floats.
   *
   * @param vector {@code [inner]}, from {@code vectorOffset}
   * @param unit a power of two, which keeps sums in the range of a float
   * @param matrix {@code [inner][columns]}
   * @param columns a multiple of 16
   * @param scales {@code [columns]}
   * @param out receives {@code [columns]}, from {@code outOffset}
   */
  public abstract void multiplyIntegers(
      float[] vector,
      int vectorOffset,
      float unit,
      int inner,
      short[] matrix,
      int columns,
      float[] scales,
      float[] out,
      int outOffset);

  /**
   * Inner products of one projected vector with every centroid: {@code out[m][c] = sum over d of
   * vector[m][d] * codebooks[m][d][c]}.
   *
   * @param vector {@code [subQuantizer][subDimension]}
   * @param codebooks {@code [subQuantizer][subDimension][centroid]}
   * @param out {@code [subQuantizer][centroid]}
   */
  public abstract void innerProducts(
      float[] vector, byte[] codebooks, int subQuantizers, int subDimension, float[] out);

  /**
   * Finds the nearest centroid of one sub-quantizer for each of {@code count} points: the one with
   * the largest {@code <point, centroid> - halfNorm}, the lowest number among equals.
   *
   * @param points point {@code i} starts at {@code pointsOffset + i * pointsStride}
   * @param codebook {@code [subDimension][centroid]}, from {@code codebookOffset}
   * @param halfNorms half the squared norm of each centroid, from {@code halfNormsOffset}
   * @param codes receives the number of the centroid of point {@code i} at {@code codesOffset + i *
   *     codesStride}
   */
  public abstract void nearest(
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
      int codesStride);

  /**
   * Chooses the centroids of one sub-quantizer again, for {@code count} points of which all
   * sub-quantizers have one: those whose error along a direction makes up for that of the others.
   * It is the centroid with the largest {@code <point, centroid> - halfNorm - weight * error^2},
   * the lowest number among equals, {@code error} being that of the whole vector along its
   * direction. Points whose error is beyond {@value #MAX_ERROR} keep their centroids.
   *
   * @param points point {@code i} starts at {@code offset + i * stride}
   * @param directions of the vectors, unit vectors, laid out as the points
   * @param codebook {@code [subDimension][centroid]}, from {@code codebookOffset}
   * @param halfNorms half the squared norm of each centroid, from {@code halfNormsOffset}
   * @param errors {@code [count]}, inner product of each vector's direction with what its code
   *     leaves out; kept up to date
   * @param codes number of the centroid of point {@code i} at {@code codesOffset + i * codesStride}
   */
  public abstract void refine(
      float[] points,
      float[] directions,
      int offset,
      int stride,
      int count,
      float[] codebook,
      int codebookOffset,
      int subDimension,
      float[] halfNorms,
      int halfNormsOffset,
      float weight,
      float[] errors,
      byte[] codes,
      int codesOffset,
      int codesStride);

  /**
   * Quantizes a table to levels 0 to {@value #MAX_LEVEL}: {@code level = rint((table[m][c] -
   * minima[m]) * scale)}, with one scale for all sub-quantizers so that levels can be added up.
   *
   * @param table {@code [subQuantizer][centroid]}, finite
   * @param minima receives the least entry of each sub-quantizer
   * @param levels receives {@code [subQuantizer][centroid]}
   * @return the scale: {@value #MAX_LEVEL} over the largest range of a sub-quantizer, 0 when every
   *     range is 0, never infinite
   */
  public abstract float quantize(float[] table, int subQuantizers, float[] minima, byte[] levels);

  /**
   * Sums the levels of every code in {@code blocks} transposed blocks.
   *
   * @param codes {@code [block][subQuantizer][BLOCK_SIZE]}, from {@code offset}
   * @param levels {@code [subQuantizer][centroid]}
   * @param sums receives {@code [block][BLOCK_SIZE]}
   */
  public abstract void scan(
      MemorySegment codes, long offset, int blocks, int subQuantizers, byte[] levels, short[] sums);

  /**
   * Sums the levels of every code in some transposed blocks, and says which sums exceed {@code
   * threshold}: what the caller keeps of a block is decided while the sums are at hand. Two blocks
   * are summed at a time, which reads the levels half as often and waits for the codes of both at
   * once: at 32 sub-quantizers that takes .8 of the time, and .75 where codes exceed the caches.
   *
   * @param codes {@code [block][subQuantizer][BLOCK_SIZE]}, from {@code offset}
   * @param blocks numbers of the blocks, {@code count} of them from {@code first} on
   * @param levels {@code [subQuantizer][centroid]}
   * @param sums receives {@code [count][BLOCK_SIZE]}
   * @param above receives {@code [count]}: one bit per code, the first code's the lowest
   */
  public abstract void scanBlocks(
      MemorySegment codes,
      long offset,
      int[] blocks,
      int first,
      int count,
      int subQuantizers,
      byte[] levels,
      int threshold,
      short[] sums,
      long[] above);

  /**
   * Sums the levels of up to {@value #BLOCK_SIZE} codes chosen by ordinal.
   *
   * @param codes {@code [ord][subQuantizer]}, from {@code offset}
   * @param ords the ordinals, in any order
   * @param scratch at least {@code BLOCK_SIZE * subQuantizers} bytes, contents irrelevant
   * @param sums receives the sum of {@code ords[i]} at {@code i}; entries from {@code count} to
   *     {@link #BLOCK_SIZE} may be overwritten
   */
  public abstract void score(
      MemorySegment codes,
      long offset,
      int[] ords,
      int count,
      int subQuantizers,
      byte[] levels,
      byte[] scratch,
      short[] sums);
}
