package io.pq32.quantization;

import java.util.Random;

/** Vectors for tests: seeded data of known shape. */
public final class Vectors {
  private Vectors() {}

  /** Independent standard normal values: the hardest data there is for a quantizer. */
  public static float[][] gaussian(Random random, int count, int dimension) {
    float[][] vectors = new float[count][dimension];
    for (float[] vector : vectors) {
      fillGaussian(random, vector);
    }
    return vectors;
  }

  /**
   * Normal clusters whose centers are standard normal.
   *
   * @param spread standard deviation within a cluster
   */
  public static float[][] clustered(
      Random random, int count, int dimension, int clusters, double spread) {
    float[][] centers = gaussian(random, clusters, dimension);
    float[][] vectors = new float[count][dimension];
    for (float[] vector : vectors) {
      float[] center = centers[random.nextInt(clusters)];
      for (int d = 0; d < dimension; d++) {
        vector[d] = (float) (center[d] + spread * random.nextGaussian());
      }
    }
    return vectors;
  }

  /**
   * Normal data whose variance falls with the rank of a component, roughly as that of embeddings
   * does, turned so that no coordinate axis is special, and away from the origin.
   */
  public static float[][] anisotropic(Random random, int count, int dimension) {
    float[][] mirrors = gaussian(random, 4, dimension);
    float[] mean = gaussian(random, 1, dimension)[0];
    float[][] vectors = gaussian(random, count, dimension);
    for (float[] vector : vectors) {
      for (int d = 0; d < dimension; d++) {
        vector[d] *= (float) (1 / Math.sqrt(1 + d));
      }
      for (float[] mirror : mirrors) {
        reflect(vector, mirror);
      }
      for (int d = 0; d < dimension; d++) {
        vector[d] += 0.2f * mean[d];
      }
    }
    return vectors;
  }

  /** Scales every vector to unit length, in place. */
  public static float[][] normalized(float[][] vectors) {
    for (float[] vector : vectors) {
      scale(vector, 1 / Math.sqrt(dot(vector, vector)));
    }
    return vectors;
  }

  /** Multiplies every vector, in place. */
  public static float[][] scaled(float[][] vectors, double factor) {
    for (float[] vector : vectors) {
      scale(vector, factor);
    }
    return vectors;
  }

  /** The vectors as a trainer takes them. */
  public static VectorSource source(float[][] vectors) {
    return new VectorSource() {
      @Override
      public int size() {
        return vectors.length;
      }

      @Override
      public void copy(int ord, float[] target, int offset) {
        System.arraycopy(vectors[ord], 0, target, offset, vectors[ord].length);
      }
    };
  }

  /** Inner product in double precision. */
  public static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  /** Squared Euclidean distance in double precision. */
  public static double squareDistance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = (double) a[i] - b[i];
      sum += difference * difference;
    }
    return sum;
  }

  private static void fillGaussian(Random random, float[] vector) {
    for (int d = 0; d < vector.length; d++) {
      vector[d] = (float) random.nextGaussian();
    }
  }

  private static void scale(float[] vector, double factor) {
    for (int d = 0; d < vector.length; d++) {
      vector[d] = (float) (vector[d] * factor);
    }
  }

  private static void reflect(float[] vector, float[] mirror) {
    double factor = 2 * dot(vector, mirror) / dot(mirror, mirror);
    for (int d = 0; d < vector.length; d++) {
      vector[d] -= (float) (factor * mirror[d]);
    }
  }
}
