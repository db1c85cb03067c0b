package io.pq32.quantization;

/**
 * Where are the centroids? Integers with a scale per row, as they are stored.
 *
 * <p>A query's table is made from the integers, because it takes as long as they take to read.
 * Vectors are encoded with floats, which are made for the first of them: a node that only searches
 * needs none. The two are the same numbers but for rounding to a float.
 */
final class Codebooks {
  private static final int K = PqKernels.CODEBOOK_SIZE;

  private final byte[] integers; // [subQuantizer][subDimension][centroid]
  private final double[] units; // [subQuantizer][subDimension], each what 1 stands for
  private volatile float[] floats; // [subQuantizer][subDimension][centroid], null at first

  /**
   * @param scales {@code [subQuantizer][subDimension]}, each what the greatest integer stands for
   */
  Codebooks(byte[] integers, float[] scales) {
    this.integers = integers;
    this.units = new double[scales.length];
    for (int row = 0; row < units.length; row++) {
      units[row] = (double) scales[row] / CompactForm.greatest(CompactForm.CODEBOOK_BITS);
    }
  }

  /** One component of a centroid. */
  float value(int row, int centroid) {
    return (float) (integers[row * K + centroid] * units[row]);
  }

  /** Two threads may make them at a time: they make the same. */
  float[] floats() {
    float[] values = floats;
    if (values == null) {
      values = new float[integers.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = value(i / K, i % K);
      }
      floats = values;
    }
    return values;
  }

  /** Half the squared norm of every centroid, {@code [subQuantizer][centroid]}. */
  float[] halfNorms(PqLayout layout) {
    float[] halfNorms = new float[layout.subQuantizers() * K];
    for (int row = 0; row < units.length; row++) {
      int first = row / layout.subDimension() * K;
      for (int centroid = 0; centroid < K; centroid++) {
        float value = value(row, centroid);
        halfNorms[first + centroid] += 0.5f * value * value;
      }
    }
    return halfNorms;
  }

  /**
   * Inner products of a projected vector with all centroids.
   *
   * @param projected {@code [subQuantizer][subDimension]}, from {@code offset}
   * @param scratch {@code [subQuantizer][subDimension]}, contents irrelevant
   * @param out receives {@code [subQuantizer][centroid]}
   */
  void innerProducts(PqLayout layout, float[] projected, int offset, float[] scratch, float[] out) {
    for (int row = 0; row < units.length; row++) {
      scratch[row] = (float) (projected[offset + row] * units[row]);
    }
    PqKernels.instance()
        .innerProducts(scratch, integers, layout.subQuantizers(), layout.subDimension(), out);
  }

  /** Heap bytes of the arrays held. */
  long ramBytesUsed() {
    float[] values = floats;
    return integers.length
        + (long) Double.BYTES * units.length
        + (values == null ? 0 : (long) Float.BYTES * values.length);
  }
}
