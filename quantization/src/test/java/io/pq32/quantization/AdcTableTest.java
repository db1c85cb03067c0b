package io.pq32.quantization;

import static io.pq32.quantization.PqKernels.CODEBOOK_SIZE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(SeededRandom.class)
class AdcTableTest {
  private static ProductQuantizer train(float[][] vectors, Metric metric) throws IOException {
    return PqTrainer.train(
        Vectors.source(vectors),
        PqLayout.pq32(vectors[0].length),
        metric,
        1,
        CooperativeTasks.CALLER_ONLY);
  }

  private static byte[][] encode(ProductQuantizer quantizer, float[][] vectors) {
    return Arrays.stream(vectors).map(quantizer::encode).toArray(byte[][]::new);
  }

  private static int levelSum(AdcTable table, byte[] code) {
    int sum = 0;
    for (int m = 0; m < code.length; m++) {
      sum += table.levels()[m * CODEBOOK_SIZE + (code[m] & 0xFF)];
    }
    return sum;
  }

  @ParameterizedTest
  @CsvSource({
    "EUCLIDEAN, 16",
    "EUCLIDEAN, 100",
    "DOT_PRODUCT, 16",
    "DOT_PRODUCT, 100",
    "DOT_PRODUCT, 300",
    "COSINE, 16",
    "COSINE, 100",
    "COSINE, 300"
  })
  void distanceIsThatToTheDecodedVector(Metric metric, int dimension, Random random)
      throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 600, dimension);
    ProductQuantizer quantizer = train(vectors, metric);
    PlainQuantizer plain = new PlainQuantizer(quantizer);
    AdcTable table = quantizer.newTable();
    for (int q = 0; q < 5; q++) {
      double[] query = plain.prepared(vectors[q]);
      table.fill(vectors[q]);
      for (int i = 0; i < 50; i++) {
        byte[] code = quantizer.encode(vectors[i]);
        double[] decoded = plain.decoded(code);
        double scale = PlainQuantizer.squares(query) + PlainQuantizer.squares(decoded);
        assertEquals(
            plain.distance(query, decoded),
            table.distance(code, 0),
            PlainQuantizer.ROUNDING * scale);
      }
    }
  }

  @Test
  void euclideanDistanceLeavesOutWhatTheProjectionDrops(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 600, 300);
    ProductQuantizer quantizer = train(vectors, Metric.EUCLIDEAN);
    PlainQuantizer plain = new PlainQuantizer(quantizer);
    AdcTable table = quantizer.newTable();
    for (int q = 0; q < 5; q++) {
      double[] projected = plain.projected(vectors[q]);
      table.fill(vectors[q]);
      for (int i = 0; i < 50; i++) {
        byte[] code = quantizer.encode(vectors[i]);
        double sum = 0;
        for (int m = 0; m < code.length; m++) {
          sum += plain.squareDistance(projected, m, code[m] & 0xFF);
        }
        double expected = sum / quantizer.squaredComponentLength();
        double scale = PlainQuantizer.squares(plain.decoded(code));
        assertEquals(
            expected, table.distance(code, 0), PlainQuantizer.ROUNDING * (expected + scale));
      }
    }
  }

  @Test
  void distanceReadsTheCodeFromItsOffset(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 300, 20);
    ProductQuantizer quantizer = train(vectors, Metric.DOT_PRODUCT);
    AdcTable table = quantizer.newTable();
    table.fill(vectors[0]);
    byte[] code = quantizer.encode(vectors[1]);
    byte[] padded = new byte[50];
    Arrays.fill(padded, (byte) 77);
    System.arraycopy(code, 0, padded, 13, code.length);
    assertEquals(table.distance(code, 0), table.distance(padded, 13));
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void levelsOrderCodesAsTheirDistancesDo(Metric metric, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 2000, 64);
    ProductQuantizer quantizer = train(vectors, metric);
    byte[][] codes = encode(quantizer, vectors);
    AdcTable table = quantizer.newTable();
    for (int q = 0; q < 10; q++) {
      table.fill(vectors[q]);
      double[] sums = new double[codes.length];
      double[] nearness = new double[codes.length];
      for (int i = 0; i < codes.length; i++) {
        sums[i] = levelSum(table, codes[i]);
        nearness[i] = -table.distance(codes[i], 0);
      }
      double correlation = correlation(ranks(sums), ranks(nearness));
      assertTrue(correlation > 0.99, "rank correlation " + correlation);
    }
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void levelsFindTheNearestVectors(Metric metric, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 3000, 96);
    ProductQuantizer quantizer = train(vectors, metric);
    PlainQuantizer plain = new PlainQuantizer(quantizer);
    byte[][] codes = encode(quantizer, vectors);
    double[][] prepared = Arrays.stream(vectors).map(plain::prepared).toArray(double[][]::new);
    AdcTable table = quantizer.newTable();
    double recall = 0;
    int queries = 30;
    for (int q = 0; q < queries; q++) {
      int query = q;
      table.fill(vectors[q]);
      int[] nearest =
          BruteForce.top(vectors.length, 10, i -> -plain.distance(prepared[query], prepared[i]));
      int[] found = BruteForce.top(codes.length, 50, i -> levelSum(table, codes[i]));
      recall += BruteForce.recall(nearest, found) / queries;
    }
    assertTrue(recall > 0.95, "recall of 10 in 50: " + recall);
  }

  @Test
  void theNearestCentroidsHaveTheHighestLevels(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 1000, 64);
    ProductQuantizer quantizer = train(vectors, Metric.EUCLIDEAN);
    AdcTable table = quantizer.newTable();
    for (int q = 0; q < 20; q++) {
      table.fill(vectors[q]);
      byte[] code = quantizer.encode(vectors[q]);
      for (int m = 0; m < code.length; m++) {
        int own = table.levels()[m * CODEBOOK_SIZE + (code[m] & 0xFF)];
        for (int centroid = 0; centroid < CODEBOOK_SIZE; centroid++) {
          assertTrue(table.levels()[m * CODEBOOK_SIZE + centroid] <= own);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void fillsFromABatchAsFromOneButForRounding(Metric metric, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 77);
    ProductQuantizer quantizer = train(vectors, metric);
    ProjectionBatch batch = quantizer.newBatch(9);
    for (int i = 0; i < 9; i++) {
      batch.add(vectors[i]);
    }
    batch.project();
    AdcTable one = quantizer.newTable();
    AdcTable many = quantizer.newTable();
    byte[] code = quantizer.encode(vectors[100]);
    for (int i = 8; i >= 0; i--) {
      one.fill(vectors[i]);
      many.fill(batch, i);
      for (int j = 0; j < one.levels().length; j++) {
        assertEquals(one.levels()[j], many.levels()[j], 1);
      }
      // Of each of 77 dimensions a product and a sum are rounded.
      double bound = 2 * 77 * Math.ulp(1f) * (squaredNorm(vectors[i]) + squaredNorm(vectors[100]));
      assertEquals(one.distance(code, 0), many.distance(code, 0), bound);
    }
  }

  private static double squaredNorm(float[] vector) {
    double sum = 0;
    for (float value : vector) {
      sum += (double) value * value;
    }
    return sum;
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void distanceOfAProjectedPointIsEuclideanWhateverTheMetric(Metric metric, Random random)
      throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 77);
    ProductQuantizer quantizer = train(vectors, metric);
    PlainQuantizer plain = new PlainQuantizer(quantizer);
    PqLayout layout = quantizer.layout();
    byte[][] codes = encode(quantizer, vectors);
    AdcTable table = quantizer.newTable();
    int offset = 5;
    float[] point = new float[offset + layout.projectedDimension()];
    double[] exact = plain.projected(vectors[0]);
    for (int row = 0; row < exact.length; row++) {
      point[offset + row] = (float) exact[row];
    }
    double[] distances = new double[codes.length];
    double[] sums = new double[codes.length];
    table.fill(vectors[1]); // is forgotten
    table.fillProjected(point, offset);
    for (int i = 0; i < codes.length; i++) {
      for (int m = 0; m < codes[i].length; m++) {
        distances[i] += plain.squareDistance(exact, m, codes[i][m] & 0xFF);
      }
      sums[i] = -levelSum(table, codes[i]);
      assertEquals(
          distances[i] / quantizer.squaredComponentLength(),
          table.distance(codes[i], 0),
          1e-4 / quantizer.squaredComponentLength());
    }
    double correlation = correlation(ranks(distances), ranks(sums));
    assertTrue(correlation > 0.99, "rank correlation " + correlation);
    AdcTable fresh = quantizer.newTable();
    fresh.fill(vectors[1]);
    table.fill(vectors[1]);
    assertEquals(fresh.distance(codes[0], 0), table.distance(codes[0], 0));
  }

  @Test
  void aTableForgetsTheQueryBefore(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 300, 40);
    for (Metric metric : Metric.values()) {
      ProductQuantizer quantizer = train(vectors, metric);
      byte[] code = quantizer.encode(vectors[9]);
      AdcTable used = quantizer.newTable();
      used.fill(vectors[1]);
      used.fill(vectors[2]);
      AdcTable fresh = quantizer.newTable();
      fresh.fill(vectors[2]);
      assertArrayEquals(fresh.levels(), used.levels());
      assertEquals(fresh.distance(code, 0), used.distance(code, 0));
    }
  }

  @Test
  void cosineDistanceDoesNotDependOnTheQueriesLength(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 40);
    ProductQuantizer quantizer = train(vectors, Metric.COSINE);
    AdcTable table = quantizer.newTable();
    AdcTable scaled = quantizer.newTable();
    byte[] code = quantizer.encode(vectors[7]);
    table.fill(vectors[0]);
    scaled.fill(Vectors.scaled(new float[][] {vectors[0].clone()}, 0x1p40)[0]);
    assertArrayEquals(table.levels(), scaled.levels());
    assertEquals(table.distance(code, 0), scaled.distance(code, 0));
  }

  @Test
  void equalVectorsHaveALevelTableOfZeros() throws IOException {
    float[][] vectors = new float[300][12];
    for (Metric metric : Metric.values()) {
      AdcTable table = train(vectors, metric).newTable();
      table.fill(vectors[0]);
      assertArrayEquals(new byte[32 * CODEBOOK_SIZE], table.levels());
      assertEquals(0, table.distance(new byte[32], 0), 1e-9);
    }
  }

  @Test
  void aFarVectorTakesNoLevelsFromTheOthers(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 2000, 64);
    AdcTable without = train(vectors, Metric.EUCLIDEAN).newTable();
    float[] far = Vectors.scaled(new float[][] {vectors[7].clone()}, 20)[0];
    float[][] spoiled = vectors.clone();
    spoiled[7] = far;
    ProductQuantizer quantizer = train(spoiled, Metric.EUCLIDEAN);
    assertTrue(quantizer.far().length > 0);
    AdcTable with = quantizer.newTable();
    byte[] code = quantizer.encode(far);
    for (int q = 100; q < 110; q++) {
      without.fill(vectors[q]);
      with.fill(vectors[q]);
      assertTrue(with.step() < 1.5 * without.step(), with.step() + ", was " + without.step());
      double distance = Vectors.squareDistance(vectors[q], quantizer.decode(code));
      assertEquals(distance, with.distance(code, 0), 0.01 * distance, "the entries are unchanged");
    }
  }

  private static void assertSameOrder(AdcTable expected, AdcTable actual, double times) {
    for (int i = 0; i < actual.levels().length; i++) {
      assertEquals(expected.levels()[i], actual.levels()[i], 1);
    }
    assertEquals(times * expected.step(), actual.step(), 0.01 * actual.step());
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void aQueryOfTheLargestFloatsOrdersCodesByItsDirection(Metric metric, Random random)
      throws IOException {
    for (double unit : new double[] {1e-30, 1, 1e30}) {
      float[][] vectors = Vectors.scaled(Vectors.anisotropic(random, 2000, 64), unit);
      ProductQuantizer quantizer = train(vectors, metric);
      AdcTable expected = quantizer.newTable();
      AdcTable actual = quantizer.newTable();
      float[] direction = new float[64];
      float[] largest = new float[64];
      for (int d = 0; d < largest.length; d++) {
        direction[d] = (float) (random.nextBoolean() ? 1e5 * unit : -1e5 * unit);
        largest[d] = Math.copySign(Float.MAX_VALUE, direction[d]);
      }
      expected.fill(direction);
      actual.fill(largest);
      assertSameOrder(
          expected, actual, metric == Metric.COSINE ? 1 : Float.MAX_VALUE / (1e5 * unit));
    }
  }

  @Test
  void aTinyQueryOrdersCodesByItsProducts(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 2000, 64);
    ProductQuantizer quantizer = train(vectors, Metric.DOT_PRODUCT);
    AdcTable expected = quantizer.newTable();
    AdcTable actual = quantizer.newTable();
    float[] query = vectors[5].clone();
    expected.fill(query);
    for (double tiny : new double[] {1e-8, 1e-30}) {
      actual.fill(Vectors.scaled(new float[][] {query.clone()}, tiny)[0]);
      assertSameOrder(expected, actual, tiny);
    }
  }

  @Test
  void noCentroidOfNormalDataIsFar(Random random) throws IOException {
    for (int dimension : new int[] {32, 64, 256}) {
      assertEquals(
          0, train(Vectors.gaussian(random, 4000, dimension), Metric.EUCLIDEAN).far().length);
    }
  }

  private static double[] ranks(double[] values) {
    int[] order = BruteForce.top(values.length, values.length, i -> values[i]);
    double[] ranks = new double[values.length];
    for (int i = 0; i < order.length; i++) {
      ranks[order[i]] = i;
    }
    return ranks;
  }

  private static double correlation(double[] a, double[] b) {
    double mean = (a.length - 1) / 2.0;
    double product = 0;
    double squares = 0;
    for (int i = 0; i < a.length; i++) {
      product += (a[i] - mean) * (b[i] - mean);
      squares += (a[i] - mean) * (a[i] - mean);
    }
    return product / squares;
  }
}
