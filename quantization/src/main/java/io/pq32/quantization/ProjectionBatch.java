package io.pq32.quantization;

/**
 * Vectors centered and projected together: the matrix kernel is three times as fast per vector on a
 * batch as on one. Reused by one thread.
 */
public final class ProjectionBatch {
  /**
   * Greatest exponent of the largest coordinate that a query is projected with, in units of the
   * training data, either way: products of larger ones could overflow, those of smaller ones
   * vanish.
   */
  private static final int GREATEST = 40;

  private final ProductQuantizer quantizer;
  private final int capacity;
  private final float[] vectors; // [vector][dimension], centered by project()
  private final float[] projected; // [vector][projectedDimension]
  private final AnisotropicCodes anisotropic; // null where distances decide
  private int count;

  ProjectionBatch(ProductQuantizer quantizer, int capacity) {
    this.quantizer = quantizer;
    this.capacity = capacity;
    this.vectors = new float[capacity * quantizer.layout().dimension()];
    this.projected = new float[capacity * quantizer.layout().projectedDimension()];
    this.anisotropic =
        quantizer.metric() == Metric.EUCLIDEAN ? null : new AnisotropicCodes(quantizer, capacity);
  }

  /** Vectors the batch has room for. */
  public int capacity() {
    return capacity;
  }

  /** Vectors in the batch. */
  public int count() {
    return count;
  }

  /** Empties the batch. */
  public void clear() {
    count = 0;
  }

  /** Adds a vector; {@link #project()} comes after the last one. */
  public void add(float[] vector) {
    int dimension = quantizer.layout().dimension();
    if (vector.length != dimension) {
      throw new IllegalArgumentException(
          "vector must have dimension " + dimension + "; got " + vector.length);
    }
    if (count == capacity) {
      throw new IllegalStateException("the batch holds " + capacity + " vectors already");
    }
    System.arraycopy(vector, 0, vectors, count * dimension, dimension);
    quantizer.normalizeIfCosine(vectors, count * dimension);
    count++;
  }

  /** Centers and projects what was added. */
  public void project() {
    quantizer.center(vectors, count);
    quantizer.project(vectors, count, projected);
  }

  /**
   * Projects a batch of one query, which is not going to be encoded: centered for a Euclidean
   * distance only. (Less the mean, a query of 1e-30 among vectors of 1 would be the mean.)
   *
   * @return what an absurdly long query was divided by, or an absurdly short one whose products
   *     count; else 1. No table changes by that but in what a level is worth: products grow with
   *     the query, and of Euclidean distances from that far all that matters is the direction.
   */
  double projectQuery() {
    boolean euclidean = quantizer.metric() == Metric.EUCLIDEAN;
    if (euclidean) {
      quantizer.center(vectors, 1);
    }
    // Of floats without their signs the larger one has the larger bits, and integers compare in
    // registers: a loop over the floats took 2 us at 768 dimensions.
    int bits = 0;
    for (float value : vectors) {
      bits = Math.max(bits, Float.floatToRawIntBits(value) & Integer.MAX_VALUE);
    }
    double largest = Float.intBitsToFloat(bits);
    int exponent = Math.getExponent(largest * Math.sqrt(quantizer.squaredComponentLength()));
    int excess = 0;
    if (exponent > GREATEST) {
      excess = exponent - GREATEST;
    } else if (exponent < -GREATEST && largest > 0 && !euclidean) {
      excess = exponent + GREATEST;
    }
    double divisor = Math.scalb(1.0, excess);
    if (divisor != 1) {
      for (int d = 0; d < vectors.length; d++) {
        vectors[d] = (float) (vectors[d] / divisor);
      }
    }
    quantizer.projectQuery(vectors, projected);
    return divisor;
  }

  /**
   * How many times as long as the longest point that any code stands for is vector {@code i}, after
   * {@link #project()}? Codes understate all products with vectors for which that is more than 1.
   */
  public double reach(int i) {
    int columns = quantizer.layout().projectedDimension();
    double squares = 0;
    for (int j = i * columns; j < (i + 1) * columns; j++) {
      squares += (double) projected[j] * projected[j];
    }
    return Math.sqrt(squares) / quantizer.reach();
  }

  /** Centered by {@link #project()}. */
  float[] vectors() {
    return vectors;
  }

  float[] projected() {
    return projected;
  }

  /** Code of every vector, to {@code codes [vector][codeBytes]} from {@code offset} on. */
  public void encode(byte[] codes, int offset) {
    quantizer.encodeProjected(projected, 0, count, codes, offset);
    if (anisotropic != null) {
      anisotropic.improve(projected, count, codes, offset);
    }
  }
}
