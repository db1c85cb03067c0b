package io.pq32.quantization;

/**
 * What nearness means between two vectors. Maximum inner product is {@link #DOT_PRODUCT}: only the
 * score a search engine makes of it differs.
 */
public enum Metric {
  /** Squared Euclidean distance; nearer is smaller. */
  EUCLIDEAN(0),
  /** Inner product; nearer is larger. */
  DOT_PRODUCT(1),
  /** Inner product of the vectors scaled to unit length; nearer is larger. */
  COSINE(2);

  private final int wireNumber;

  Metric(int wireNumber) {
    this.wireNumber = wireNumber;
  }

  /** The number that stands for this metric on disk; never reused. */
  public int wireNumber() {
    return wireNumber;
  }
}
