package io.pq32.quantization;

import static io.pq32.quantization.PqKernels.CODEBOOK_SIZE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SeededRandom.class)
class KMeansTest {
  /** Squared distance of one point's columns to their nearest centroid. */
  static double error(float[] points, int offset, int column, int subDimension, float[] codebooks) {
    double nearest = Double.POSITIVE_INFINITY;
    for (int centroid = 0; centroid < CODEBOOK_SIZE; centroid++) {
      double sum = 0;
      for (int d = 0; d < subDimension; d++) {
        double difference =
            (double) points[offset + column + d]
                - codebooks[(column + d) * CODEBOOK_SIZE + centroid];
        sum += difference * difference;
      }
      nearest = Math.min(nearest, sum);
    }
    return nearest;
  }

  private static double error(float[] points, int subDimension, float[] codebooks) {
    double sum = 0;
    for (int i = 0; i < points.length; i += subDimension) {
      sum += error(points, i, 0, subDimension, codebooks);
    }
    return sum;
  }

  private static float[] train(float[] points, int subDimension, int iterations) {
    float[] codebooks = new float[subDimension * CODEBOOK_SIZE];
    KMeans.train(
        points,
        points.length / subDimension,
        subDimension,
        0,
        subDimension,
        iterations,
        5,
        codebooks);
    return codebooks;
  }

  private static float[] gaussian(Random random, int length) {
    return Vectors.gaussian(random, 1, length)[0];
  }

  @Test
  void everyIterationLosesLess(Random random) {
    float[] points = gaussian(random, 3000 * 4);
    double before = error(points, 4, train(points, 4, 0));
    for (int iterations = 1; iterations <= 6; iterations++) {
      double error = error(points, 4, train(points, 4, iterations));
      assertTrue(error < before, iterations + " iterations: " + error + " after " + before);
      before = error;
    }
  }

  @Test
  void findsAsManyValuesAsThereAreCentroids(Random random) {
    float[] values = gaussian(random, CODEBOOK_SIZE * 3);
    float[] points = new float[4000 * 3];
    for (int i = 0; i < 4000; i++) {
      // Half of the points are the first value, so that a random start misses many others.
      int value = i < CODEBOOK_SIZE ? i : random.nextBoolean() ? 0 : random.nextInt(CODEBOOK_SIZE);
      System.arraycopy(values, value * 3, points, i * 3, 3);
    }
    assertEquals(0, error(points, 3, train(points, 3, 10)), 1e-6);
  }

  @Test
  void centroidsWithoutPointsMoveToThePointsThatAreWorstOff() {
    // Any start has at least 249 copies of the crowd; all but one of them lose it to the first.
    float[] points = new float[1000];
    for (int i = 0; i < 7; i++) {
      points[i * 140] = 10 * (1 + i);
    }
    assertEquals(0, error(points, 1, train(points, 1, 1)));
  }

  @Test
  void fewerPointsThanCentroidsLoseNothing(Random random) {
    for (int count : new int[] {1, 2, 255, 256}) {
      float[] points = gaussian(random, count * 2);
      assertEquals(0, error(points, 2, train(points, 2, 3)), 1e-9);
    }
  }

  @Test
  void equalPointsShareOneCentroid() {
    float[] points = new float[600];
    Arrays.fill(points, 0.25f);
    float[] codebooks = train(points, 2, 5);
    for (float value : codebooks) {
      assertEquals(0.25f, value);
    }
  }

  @Test
  void writesOnlyItsOwnColumns(Random random) {
    int stride = 6;
    float[] points = gaussian(random, 500 * stride);
    float[] codebooks = new float[stride * CODEBOOK_SIZE];
    Arrays.fill(codebooks, Float.NaN);
    KMeans.train(points, 500, stride, 2, 3, 4, 11, codebooks);
    for (int row = 0; row < stride; row++) {
      for (int centroid = 0; centroid < CODEBOOK_SIZE; centroid++) {
        boolean written = !Float.isNaN(codebooks[row * CODEBOOK_SIZE + centroid]);
        assertEquals(row >= 2 && row < 5, written, "row " + row);
      }
    }
  }

  @Test
  void columnsOfAWiderMatrixGiveTheSameCentroids(Random random) {
    float[] points = gaussian(random, 700 * 2);
    float[] wide = new float[700 * 5];
    for (int i = 0; i < 700; i++) {
      System.arraycopy(points, i * 2, wide, i * 5 + 3, 2);
    }
    float[] codebooks = new float[5 * CODEBOOK_SIZE];
    KMeans.train(wide, 700, 5, 3, 2, 5, 5, codebooks);
    assertArrayEquals(
        train(points, 2, 5), Arrays.copyOfRange(codebooks, 3 * CODEBOOK_SIZE, 5 * CODEBOOK_SIZE));
  }
}
