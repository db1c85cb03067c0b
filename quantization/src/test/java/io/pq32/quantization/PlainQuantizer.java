package io.pq32.quantization;

import static io.pq32.quantization.PqKernels.CODEBOOK_SIZE;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;

/**
 * The definition of a product quantizer in plain loops and double precision, from its serialized
 * form: the oracle for {@link ProductQuantizer} and {@link AdcTable}.
 */
final class PlainQuantizer {
  /**
   * Two units of the projection's 10 bits. A value is off by up to half of one, so the inner
   * product of a component with a unit vector deviates by up to .3, that of two components by .4;
   * of the thousands of pairs some are off by four times as much.
   */
  static final double ROUNDING = 2.0 / 511;

  /** Half a unit of the codebooks' 8 bits: this share of the largest of a row. */
  static final double CODEBOOK_ROUNDING = 0.5 / 127;

  final PqLayout layout;
  final Metric metric;
  final double[] mean; // [dimension]
  final double[][] components; // [projectedDimension][dimension], zero rows for padding
  final double[][] centroids; // [projectedDimension][centroid]

  PlainQuantizer(ProductQuantizer quantizer) {
    layout = quantizer.layout();
    metric = quantizer.metric();
    ByteBuffer bytes = ByteBuffer.wrap(quantizer.toBytes()).order(ByteOrder.LITTLE_ENDIAN);
    mean = new double[layout.dimension()];
    for (int d = 0; d < mean.length; d++) {
      mean[d] = bytes.getFloat();
    }
    float[] scales = new float[layout.projectedDimension()];
    bytes.asFloatBuffer().get(scales);
    bytes.position(bytes.position() + scales.length * Float.BYTES);
    components = new double[layout.projectedDimension()][layout.dimension()];
    BitSet bits = BitSet.valueOf(bytes);
    for (int d = 0; d < mean.length; d++) {
      for (int row = 0; row < components.length; row++) {
        int first = (d * components.length + row) * 10;
        components[row][d] = integer(bits.get(first, first + 10), 10) / 511.0 * scales[row];
      }
    }
    bytes.position(bytes.position() + mean.length * components.length / 4 * 5);
    bytes.asFloatBuffer().get(scales);
    bytes.position(bytes.position() + scales.length * Float.BYTES);
    centroids = new double[layout.projectedDimension()][CODEBOOK_SIZE];
    for (int row = 0; row < centroids.length; row++) {
      for (int c = 0; c < CODEBOOK_SIZE; c++) {
        centroids[row][c] = bytes.get() / 127.0 * scales[row];
      }
    }
  }

  private static int integer(BitSet bits, int length) {
    int value = 0;
    for (int i = 0; i < length - 1; i++) {
      value += bits.get(i) ? 1 << i : 0;
    }
    return bits.get(length - 1) ? value - (1 << length - 1) : value;
  }

  /** The vector as the metric takes it. */
  double[] prepared(float[] vector) {
    double[] prepared = new double[vector.length];
    double norm = Math.sqrt(Vectors.dot(vector, vector));
    for (int d = 0; d < prepared.length; d++) {
      prepared[d] = metric == Metric.COSINE && norm > 0 ? vector[d] / norm : vector[d];
    }
    return prepared;
  }

  double[] projected(float[] vector) {
    double[] prepared = prepared(vector);
    double[] projected = new double[components.length];
    for (int row = 0; row < projected.length; row++) {
      for (int d = 0; d < prepared.length; d++) {
        projected[row] += (prepared[d] - mean[d]) * components[row][d];
      }
    }
    return projected;
  }

  /** Squared distance of a projected vector's part to a centroid of sub-quantizer {@code m}. */
  double squareDistance(double[] projected, int m, int centroid) {
    double sum = 0;
    for (int row = m * layout.subDimension(); row < (m + 1) * layout.subDimension(); row++) {
      double difference = projected[row] - centroids[row][centroid];
      sum += difference * difference;
    }
    return sum;
  }

  /** The nearest centroids of a projected vector. */
  byte[] nearest(double[] projected) {
    byte[] code = new byte[layout.subQuantizers()];
    for (int m = 0; m < code.length; m++) {
      for (int centroid = 1; centroid < CODEBOOK_SIZE; centroid++) {
        if (squareDistance(projected, m, centroid) < squareDistance(projected, m, code[m] & 0xFF)) {
          code[m] = (byte) centroid;
        }
      }
    }
    return code;
  }

  /** Where a vector points to from zero, projected, as a unit vector. */
  double[] direction(float[] vector) {
    double[] prepared = prepared(vector);
    double[] direction = new double[components.length];
    for (int row = 0; row < direction.length; row++) {
      for (int d = 0; d < prepared.length; d++) {
        direction[row] += prepared[d] * components[row][d];
      }
    }
    double length = Math.sqrt(squares(direction));
    for (int row = 0; row < direction.length; row++) {
      direction[row] /= length;
    }
    return direction;
  }

  /** Squared error of a code, of which what is along a direction counts {@code eta} times. */
  double loss(double[] projected, double[] direction, byte[] code, double eta) {
    double squares = 0;
    double along = 0;
    for (int row = 0; row < projected.length; row++) {
      double error = projected[row] - centroids[row][code[row / layout.subDimension()] & 0xFF];
      squares += error * error;
      along += error * direction[row];
    }
    return squares + (eta - 1) * along * along;
  }

  double[] decoded(byte[] code) {
    double[] vector = mean.clone();
    for (int row = 0; row < components.length; row++) {
      double squares = 0;
      for (double value : components[row]) {
        squares += value * value;
      }
      if (squares > 0) {
        double value = centroids[row][code[row / layout.subDimension()] & 0xFF] / squares;
        for (int d = 0; d < vector.length; d++) {
          vector[d] += value * components[row][d];
        }
      }
    }
    return vector;
  }

  /** Squared distance, or negative inner product for the other metrics. */
  double distance(double[] a, double[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += metric == Metric.EUCLIDEAN ? (a[d] - b[d]) * (a[d] - b[d]) : -a[d] * b[d];
    }
    return sum;
  }

  /** The share of its variance that the code loses of one projected vector, and its total. */
  static double squares(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value * value;
    }
    return sum;
  }
}
