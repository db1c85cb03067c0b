package io.pq32.quantization;

import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * Which directions carry the variance of a sample, and which sub-quantizer takes which of them?
 *
 * <p>The leading eigenvectors of the covariance are found by subspace iteration on a random start
 * (Halko, Martinsson, Tropp 2011) with a final Rayleigh-Ritz step; a full eigendecomposition at 768
 * dimensions would take longer than all other training together.
 */
final class PrincipalComponents {
  /** Vectors the covariance is estimated from. */
  static final int SAMPLE_SIZE = 8192;

  /** Directions carried beyond those asked for, so that the last ones converge too. */
  private static final int OVERSAMPLING = 16;

  /** Multiplications with the covariance before the Rayleigh-Ritz step. */
  private static final int POWER_ITERATIONS = 3;

  private PrincipalComponents() {}

  /**
   * Learns the projection of a layout.
   *
   * @return {@code [dimension][projectedDimension]}: orthogonal columns of length 1/unit, dealt to
   *     the sub-quantizers; zero columns where the vectors have fewer dimensions than the
   *     projection
   */
  static float[] of(
      PqTrainer.Chunks chunks,
      PqTrainer.Moments moments,
      PqLayout layout,
      long seed,
      CooperativeTasks tasks)
      throws IOException {
    int dimension = layout.dimension();
    int wanted = Math.min(dimension, layout.projectedDimension());
    float[] covariance = covariance(chunks, moments, dimension, tasks);
    int width = Math.min(dimension, wanted + OVERSAMPLING);
    float[] basis = identity(dimension);
    if (width < dimension) {
      SplittableRandom random = new SplittableRandom(seed);
      basis = new float[width * dimension];
      fillRandomly(basis, 0, basis.length, random);
      orthonormalize(basis, width, dimension, random);
      for (int i = 0; i < POWER_ITERATIONS; i++) {
        basis = transpose(product(covariance, dimension, basis, width, tasks), dimension, width);
        orthonormalize(basis, width, dimension, random);
      }
    }
    Eigen eigen = rayleighRitz(covariance, basis, width, dimension, tasks);
    int[] columns =
        deal(Arrays.copyOf(eigen.values, wanted), layout.subQuantizers(), layout.subDimension());
    int projected = layout.projectedDimension();
    float[] projection = new float[dimension * projected];
    for (int component = 0; component < wanted; component++) {
      for (int d = 0; d < dimension; d++) {
        projection[d * projected + columns[component]] =
            (float) (eigen.vectors[component * dimension + d] / moments.unit());
      }
    }
    return projection;
  }

  /** Covariance {@code [dimension][dimension]} in units of {@code moments.unit()}. */
  private static float[] covariance(
      PqTrainer.Chunks chunks, PqTrainer.Moments moments, int dimension, CooperativeTasks tasks)
      throws IOException {
    float[] covariance = new float[dimension * dimension];
    float[] mean = moments.mean();
    while (chunks.next()) {
      float[] vectors = chunks.vectors;
      int count = chunks.count;
      for (int row = 0; row < count; row++) {
        for (int d = 0; d < dimension; d++) {
          int i = row * dimension + d;
          vectors[i] = (float) (((double) vectors[i] - mean[d]) / moments.unit());
        }
      }
      float[] transposed = transpose(vectors, count, dimension);
      multiply(transposed, dimension, count, vectors, dimension, covariance, tasks);
    }
    return covariance;
  }

  /** Adds {@code a [rows][inner] x b [inner][columns]} to {@code out}, by groups of rows. */
  private static void multiply(
      float[] a, int rows, int inner, float[] b, int columns, float[] out, CooperativeTasks tasks) {
    int group = 64;
    tasks.run(
        Math.ceilDiv(rows, group),
        g -> {
          int row = g * group;
          PqKernels.instance()
              .multiplyAdd(
                  a,
                  row * inner,
                  Math.min(group, rows - row),
                  inner,
                  b,
                  columns,
                  out,
                  row * columns);
        });
  }

  /** Covariance times a basis given by rows: {@code [dimension][width]}. */
  private static float[] product(
      float[] covariance, int dimension, float[] basis, int width, CooperativeTasks tasks) {
    float[] out = new float[dimension * width];
    float[] columns = transpose(basis, width, dimension);
    multiply(covariance, dimension, dimension, columns, width, out, tasks);
    return out;
  }

  private static float[] transpose(float[] matrix, int rows, int columns) {
    float[] out = new float[rows * columns];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        out[column * rows + row] = matrix[row * columns + column];
      }
    }
    return out;
  }

  private static float[] identity(int dimension) {
    float[] basis = new float[dimension * dimension];
    for (int i = 0; i < dimension; i++) {
      basis[i * dimension + i] = 1;
    }
    return basis;
  }

  private static void fillRandomly(float[] values, int from, int to, SplittableRandom random) {
    for (int i = from; i < to; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
  }

  /**
   * Gram-Schmidt on the rows of {@code basis [width][dimension]}, {@code width} below {@code
   * dimension}. A row that the earlier ones span starts again at random, so that the basis is
   * complete even where the sample spans fewer directions: whatever the sample, all components are
   * orthogonal and of one length.
   */
  private static void orthonormalize(
      float[] basis, int width, int dimension, SplittableRandom random) {
    for (int i = 0; i < width; i++) {
      while (!orthonormalizeRow(basis, i, dimension)) {
        fillRandomly(basis, i * dimension, (i + 1) * dimension, random);
      }
    }
  }

  /** Cleans a row of the earlier ones, twice, and says whether anything was left of it. */
  private static boolean orthonormalizeRow(float[] basis, int i, int dimension) {
    PqKernels kernels = PqKernels.instance();
    int row = i * dimension;
    double before = Math.sqrt(kernels.dot(basis, row, basis, row, dimension));
    for (int pass = 0; pass < 2; pass++) {
      for (int j = 0; j < i; j++) {
        int other = j * dimension;
        float share = kernels.dot(basis, row, basis, other, dimension);
        for (int d = 0; d < dimension; d++) {
          basis[row + d] -= share * basis[other + d];
        }
      }
    }
    double after = Math.sqrt(kernels.dot(basis, row, basis, row, dimension));
    if (after <= before * 1e-5) {
      return false;
    }
    float factor = (float) (1 / after);
    for (int d = 0; d < dimension; d++) {
      basis[row + d] *= factor;
    }
    return true;
  }

  /** The covariance's eigenvectors within the span of an orthonormal basis, largest value first. */
  private static Eigen rayleighRitz(
      float[] covariance, float[] basis, int width, int dimension, CooperativeTasks tasks) {
    float[] image = product(covariance, dimension, basis, width, tasks); // [dimension][width]
    float[] small = new float[width * width];
    multiply(basis, width, dimension, image, width, small, tasks);
    DMatrixRMaj symmetric = new DMatrixRMaj(width, width);
    for (int i = 0; i < width; i++) {
      for (int j = 0; j < width; j++) {
        symmetric.set(i, j, 0.5 * ((double) small[i * width + j] + small[j * width + i]));
      }
    }
    EigenDecomposition_F64<DMatrixRMaj> decomposition =
        DecompositionFactory_DDRM.eig(width, true, true);
    if (!decomposition.decompose(symmetric)) {
      throw new IllegalStateException(
          "the covariance of the training sample has no eigendecomposition");
    }
    Integer[] order = new Integer[width];
    Arrays.setAll(order, i -> i);
    Arrays.sort(
        order,
        (i, j) ->
            Double.compare(
                decomposition.getEigenvalue(j).getReal(),
                decomposition.getEigenvalue(i).getReal()));
    double[] values = new double[width];
    float[] rotation = new float[width * width];
    for (int i = 0; i < width; i++) {
      values[i] = decomposition.getEigenvalue(order[i]).getReal();
      DMatrixRMaj vector = decomposition.getEigenVector(order[i]);
      for (int j = 0; j < width; j++) {
        rotation[i * width + j] = (float) vector.get(j, 0);
      }
    }
    float[] vectors = new float[width * dimension];
    multiply(rotation, width, width, basis, dimension, vectors, tasks);
    return new Eigen(values, vectors);
  }

  /**
   * Deals components to sub-quantizers so that the products of their variances are as equal as a
   * greedy choice makes them (Ge et al. 2013, section 4.2).
   *
   * @param variances descending
   * @return the column of each component
   */
  static int[] deal(double[] variances, int subQuantizers, int subDimension) {
    double floor = Math.max(variances[0], Double.MIN_NORMAL) * 1e-9;
    double least = Math.log(Math.max(floor, variances[variances.length - 1]));
    double[] shares = new double[subQuantizers];
    int[] taken = new int[subQuantizers];
    int[] columns = new int[variances.length];
    for (int component = 0; component < variances.length; component++) {
      int chosen = -1;
      for (int m = 0; m < subQuantizers; m++) {
        if (taken[m] < subDimension && (chosen < 0 || shares[m] < shares[chosen])) {
          chosen = m;
        }
      }
      columns[component] = chosen * subDimension + taken[chosen]++;
      shares[chosen] += Math.log(Math.max(floor, variances[component])) - least;
    }
    return columns;
  }

  /**
   * Eigenpairs.
   *
   * @param values descending
   * @param vectors {@code [component][dimension]}
   */
  private record Eigen(double[] values, float[] vectors) {}
}
