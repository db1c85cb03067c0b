package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(SeededRandom.class)
class PqTrainerTest {
  private static final long SEED = 7;

  private static ProductQuantizer train(float[][] vectors, Metric metric) throws IOException {
    return PqTrainer.train(
        Vectors.source(vectors),
        PqLayout.pq32(vectors[0].length),
        metric,
        SEED,
        CooperativeTasks.CALLER_ONLY);
  }

  private static double distortion(ProductQuantizer quantizer, float[]... vectors)
      throws IOException {
    return quantizer.distortion(
        Vectors.source(vectors), IntStream.range(0, vectors.length).toArray());
  }

  private static void assertFinite(ProductQuantizer quantizer) {
    // Reading back rejects every value that is not finite.
    ProductQuantizer.fromBytes(quantizer.layout(), quantizer.metric(), quantizer.toBytes());
  }

  @ParameterizedTest
  @EnumSource(names = {"EUCLIDEAN", "COSINE"})
  void givesTheSameBytesForAnyNumberOfThreads(Metric metric, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 1500, 70);
    byte[] expected = train(vectors, metric).toBytes();
    assertArrayEquals(expected, train(vectors, metric).toBytes(), "twice in a row");
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      for (int threads : new int[] {2, 5}) {
        ProductQuantizer quantizer =
            PqTrainer.train(
                Vectors.source(vectors),
                PqLayout.pq32(70),
                metric,
                SEED,
                new CooperativeTasks(pool, threads - 1));
        assertArrayEquals(expected, quantizer.toBytes(), threads + " threads");
      }
    }
  }

  @Test
  void anotherSeedGivesAnotherQuantizer(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 600, 32);
    ProductQuantizer other =
        PqTrainer.train(
            Vectors.source(vectors),
            PqLayout.pq32(32),
            Metric.EUCLIDEAN,
            SEED + 1,
            CooperativeTasks.CALLER_ONLY);
    assertFalse(Arrays.equals(train(vectors, Metric.EUCLIDEAN).toBytes(), other.toBytes()));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 31, 32, 33, 100, 255, 257, 768})
  void componentsAreOrthogonalAndOfOneLength(int dimension, Random random) throws IOException {
    assertOrthogonal(train(Vectors.anisotropic(random, 400, dimension), Metric.EUCLIDEAN));
  }

  @Test
  void componentsAreOrthogonalWhereTheVectorsSpanFewDirections(Random random) throws IOException {
    // 40 vectors span 39 directions around their mean; 192 components are asked for.
    assertOrthogonal(train(Vectors.gaussian(random, 40, 600), Metric.EUCLIDEAN));
  }

  private static void assertOrthogonal(ProductQuantizer quantizer) {
    PlainQuantizer plain = new PlainQuantizer(quantizer);
    double[][] components =
        Arrays.stream(plain.components)
            .filter(component -> PlainQuantizer.squares(component) > 0)
            .toArray(double[][]::new);
    double unit = quantizer.squaredComponentLength();
    assertTrue(unit > 0);
    for (int i = 0; i < components.length; i++) {
      for (int j = 0; j <= i; j++) {
        double product = 0;
        for (int d = 0; d < components[i].length; d++) {
          product += components[i][d] * components[j][d];
        }
        assertEquals(
            i == j ? 1 : 0,
            product / unit,
            PlainQuantizer.ROUNDING,
            "components " + i + " and " + j);
      }
    }
  }

  @Test
  void keepsAllOfAVectorThatFits(Random random) throws IOException {
    for (int dimension : new int[] {1, 2, 31, 33, 100, 192}) {
      PlainQuantizer plain =
          new PlainQuantizer(train(Vectors.gaussian(random, 300, dimension), Metric.EUCLIDEAN));
      long kept =
          Arrays.stream(plain.components).filter(c -> PlainQuantizer.squares(c) > 0).count();
      assertEquals(dimension, kept);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 31, 33, 100, 768, 4096})
  void fewerVectorsThanCentroidsLoseRoundingOnly(int dimension, Random random) throws IOException {
    // Hardly a value is more than four deviations away from the mean.
    double lost = Math.pow(4 * PlainQuantizer.CODEBOOK_ROUNDING, 2);
    float[][] vectors = Vectors.gaussian(random, 60, dimension);
    ProductQuantizer quantizer = train(vectors, Metric.EUCLIDEAN);
    assertFinite(quantizer);
    assertEquals(0, distortion(quantizer, vectors), lost);
    for (int i = 0; i < vectors.length; i += 11) {
      float[] decoded = quantizer.decode(quantizer.encode(vectors[i]));
      assertEquals(0, Vectors.squareDistance(vectors[i], decoded) / dimension, lost);
    }
  }

  @Test
  void oneVectorStandsForItself(Random random) throws IOException {
    for (Metric metric : Metric.values()) {
      float[][] one = Vectors.normalized(Vectors.gaussian(random, 1, 300));
      ProductQuantizer quantizer = train(one, metric);
      assertFinite(quantizer);
      assertArrayEquals(one[0], quantizer.decode(quantizer.encode(one[0])), 1e-6f);
      assertEquals(0, distortion(quantizer, one));
    }
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void equalVectorsStandForThemselves(Metric metric, Random random) throws IOException {
    float[] vector = Vectors.normalized(Vectors.gaussian(random, 1, 50))[0];
    float[][] vectors = new float[1000][];
    Arrays.fill(vectors, vector);
    ProductQuantizer quantizer = train(vectors, metric);
    assertFinite(quantizer);
    assertArrayEquals(vector, quantizer.decode(quantizer.encode(vector)), 1e-6f);
    assertEquals(0, distortion(quantizer, vectors), 1e-6);
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void zeroVectorsStandForThemselves(Metric metric) throws IOException {
    float[][] vectors = new float[500][40];
    ProductQuantizer quantizer = train(vectors, metric);
    assertFinite(quantizer);
    assertArrayEquals(new float[40], quantizer.decode(quantizer.encode(new float[40])));
    assertEquals(0, distortion(quantizer, vectors));
  }

  @ParameterizedTest
  @EnumSource(names = {"EUCLIDEAN", "COSINE"})
  void zeroVectorsAmongOthersCostLittle(Metric metric, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 1500, 64);
    double without = distortion(train(vectors, metric), vectors);
    float[][] mixed = vectors.clone();
    for (int i = 0; i < mixed.length; i += 10) {
      mixed[i] = new float[64];
    }
    ProductQuantizer quantizer = train(mixed, metric);
    assertFinite(quantizer);
    assertTrue(distortion(quantizer, mixed) < 1.2 * without + 1e-3);
  }

  @Test
  void twoValuesAreToldApartWithoutLoss(Random random) throws IOException {
    float[][] pair = Vectors.gaussian(random, 2, 96);
    float[][] vectors = new float[2000][];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = pair[random.nextInt(2)];
    }
    ProductQuantizer quantizer = train(vectors, Metric.EUCLIDEAN);
    assertFinite(quantizer);
    assertEquals(0, distortion(quantizer, vectors), 1e-5);
    assertFalse(Arrays.equals(quantizer.encode(pair[0]), quantizer.encode(pair[1])));
  }

  @Test
  void constantDimensionsTakeNothingFromTheOthers(Random random) throws IOException {
    float[][] narrow = Vectors.gaussian(random, 2000, 40);
    float[][] wide = new float[narrow.length][90];
    for (int i = 0; i < wide.length; i++) {
      Arrays.fill(wide[i], 3.5f);
      System.arraycopy(narrow[i], 0, wide[i], 25, 40);
    }
    ProductQuantizer quantizer = train(wide, Metric.EUCLIDEAN);
    assertFinite(quantizer);
    double alone = distortion(train(narrow, Metric.EUCLIDEAN), narrow);
    double padded = distortion(quantizer, wide);
    assertTrue(padded < 1.1 * alone, padded + " against " + alone);
    assertEquals(3.5f, quantizer.decode(quantizer.encode(wide[0]))[0], 1e-3f);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-30, 1e30})
  void theUnitOfLengthDoesNotMatter(double factor, Random random) throws IOException {
    // Five dimensions to a sub-quantizer: with one, the luck of a single vector shows.
    float[][] vectors = Vectors.anisotropic(random, 1000, 160);
    for (Metric metric : List.of(Metric.EUCLIDEAN, Metric.COSINE)) {
      double expected = distortion(train(vectors, metric), vectors);
      float[][] scaled =
          Vectors.scaled(
              Arrays.stream(vectors).map(float[]::clone).toArray(float[][]::new), factor);
      ProductQuantizer quantizer = train(scaled, metric);
      assertFinite(quantizer);
      assertEquals(expected, distortion(quantizer, scaled), 0.03 * expected, metric.name());
    }
  }

  @Test
  void takesDenormalVectors(Random random) throws IOException {
    for (Metric metric : Metric.values()) {
      float[][] vectors = Vectors.scaled(Vectors.gaussian(random, 500, 20), 1e-41);
      ProductQuantizer quantizer = train(vectors, metric);
      assertFinite(quantizer);
      assertTrue(distortion(quantizer, vectors) <= 1.01, metric.name());
    }
  }

  @Test
  void takesTheLargestFloatsThereAre(Random random) throws IOException {
    for (Metric metric : Metric.values()) {
      float[][] vectors = Vectors.gaussian(random, 500, 20);
      for (float[] vector : vectors) {
        for (int d = 0; d < vector.length; d++) {
          vector[d] = Math.copySign(Float.MAX_VALUE, vector[d]);
        }
      }
      ProductQuantizer quantizer = train(vectors, metric);
      assertFinite(quantizer);
      assertTrue(distortion(quantizer, vectors) < 0.2, metric.name());
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e4, 1e18})
  void oneOutlierDoesNotSpoilTheOthers(double factor, Random random) throws IOException {
    for (Metric metric : List.of(Metric.EUCLIDEAN, Metric.COSINE)) {
      float[][] vectors = Vectors.anisotropic(random, 1000, 160);
      double alone = distortion(train(vectors, metric), vectors);
      float[][] spoiled = Arrays.copyOf(vectors, vectors.length + 1);
      spoiled[vectors.length] = Vectors.scaled(Vectors.gaussian(random, 1, 160), factor)[0];
      ProductQuantizer quantizer = train(spoiled, metric);
      assertFinite(quantizer);
      double others = distortion(quantizer, vectors);
      assertTrue(others < 1.1 * alone, metric + ": " + others + " against " + alone);
      double all = distortion(quantizer, spoiled);
      assertTrue(all < 1.1 * alone, metric + ": with it " + all + " against " + alone);
      assertEquals(32, quantizer.encode(spoiled[vectors.length]).length);
    }
  }

  @Test
  void samplesLargeSourcesAndStaysAsGood(Random random) throws IOException {
    float[][] vectors = Vectors.clustered(random, PqTrainer.SAMPLE_SIZE + 5000, 16, 50, 0.3);
    ProductQuantizer quantizer = train(vectors, Metric.EUCLIDEAN);
    double seen = distortion(quantizer, vectors);
    double unseen =
        distortion(quantizer, Arrays.copyOfRange(vectors, PqTrainer.SAMPLE_SIZE, vectors.length));
    assertEquals(seen, unseen, 0.1 * seen);
  }

  @Test
  void rejectsNoVectors() {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                PqTrainer.train(
                    Vectors.source(new float[0][]),
                    PqLayout.pq32(8),
                    Metric.EUCLIDEAN,
                    SEED,
                    CooperativeTasks.CALLER_ONLY));
    assertEquals("training needs at least 1 vector; got 0", e.getMessage());
  }

  @Test
  void passesOnWhatTheSourceThrows() {
    VectorSource broken =
        new VectorSource() {
          @Override
          public int size() {
            return 10;
          }

          @Override
          public void copy(int ord, float[] target, int offset) throws IOException {
            throw new IOException("cannot read vector " + ord);
          }
        };
    var e =
        assertThrows(
            IOException.class,
            () ->
                PqTrainer.train(
                    broken,
                    PqLayout.pq32(8),
                    Metric.EUCLIDEAN,
                    SEED,
                    CooperativeTasks.CALLER_ONLY));
    assertEquals("cannot read vector 0", e.getMessage());
  }

  @Test
  void sampleIsAllWhenTheLimitAllowsIt() {
    assertArrayEquals(new int[] {0, 1, 2, 3}, PqTrainer.sample(4, 4, SEED));
    assertArrayEquals(new int[] {0, 1, 2, 3}, PqTrainer.sample(4, 100, SEED));
    assertArrayEquals(new int[0], PqTrainer.sample(0, 100, SEED));
  }

  @Test
  void sampleIsAscendingDistinctAndSpreadOut(Random random) {
    int size = 100_000;
    int[] sample = PqTrainer.sample(size, 1000, random.nextLong());
    assertEquals(1000, sample.length);
    long firstHalf = 0;
    for (int i = 0; i < sample.length; i++) {
      assertTrue(sample[i] >= 0 && sample[i] < size);
      assertTrue(i == 0 || sample[i] > sample[i - 1]);
      firstHalf += sample[i] < size / 2 ? 1 : 0;
    }
    // Binomial with standard deviation 16: seven of them.
    assertTrue(Math.abs(firstHalf - 500) < 112, firstHalf + " of 1000 in the first half");
  }

  @Test
  void dealsEqualSharesOfVariance(Random random) {
    double[] variances =
        IntStream.range(0, 256).mapToDouble(i -> 1 / Math.pow(1 + i, 1.5)).toArray();
    int[] columns = PrincipalComponents.deal(variances, 32, 8);
    assertArrayEquals(IntStream.range(0, 256).toArray(), Arrays.stream(columns).sorted().toArray());
    double[] logs = new double[32];
    for (int i = 0; i < columns.length; i++) {
      logs[columns[i] / 8] += Math.log(variances[i]);
    }
    double least = Arrays.stream(logs).min().getAsDouble();
    double most = Arrays.stream(logs).max().getAsDouble();
    // Cut in order, the first and the last sub-quantizer would be 40 apart.
    assertTrue(most - least < 4, least + " to " + most);
  }

  @Test
  void dealsVariancesOfZero() {
    int[] columns = PrincipalComponents.deal(new double[64], 32, 2);
    assertArrayEquals(IntStream.range(0, 64).toArray(), Arrays.stream(columns).sorted().toArray());
  }
}
