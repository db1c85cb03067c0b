package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(SeededRandom.class)
class ProductQuantizerTest {
  private static ProductQuantizer train(float[][] vectors, PqLayout layout, Metric metric)
      throws IOException {
    return PqTrainer.train(
        Vectors.source(vectors), layout, metric, 3, CooperativeTasks.CALLER_ONLY);
  }

  private static ProductQuantizer train(float[][] vectors, Metric metric) throws IOException {
    return train(vectors, PqLayout.pq32(vectors[0].length), metric);
  }

  private static int[] all(float[][] vectors) {
    return IntStream.range(0, vectors.length).toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "EUCLIDEAN, 1, 32",
    "DOT_PRODUCT, 7, 16",
    "COSINE, 33, 32",
    "EUCLIDEAN, 100, 32",
    "DOT_PRODUCT, 100, 48",
    "COSINE, 130, 96",
    "EUCLIDEAN, 300, 32",
    "DOT_PRODUCT, 300, 32",
    "COSINE, 300, 32"
  })
  void agreesWithItsDefinition(Metric metric, int dimension, int bytes, Random random)
      throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 600, dimension);
    ProductQuantizer quantizer = train(vectors, new PqLayout(dimension, bytes), metric);
    PlainQuantizer plain = new PlainQuantizer(quantizer);
    byte[][] codes = new byte[20][];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = quantizer.encode(vectors[i]);
      if (metric == Metric.EUCLIDEAN) {
        assertNearestCentroids(plain, vectors[i], codes[i]);
      }
      double[] decoded = plain.decoded(codes[i]);
      float[] actual = quantizer.decode(codes[i]);
      double length = Math.sqrt(PlainQuantizer.squares(decoded));
      for (int d = 0; d < dimension; d++) {
        assertEquals(decoded[d], actual[d], PlainQuantizer.ROUNDING * length, "dimension " + d);
      }
    }
    for (int i = 1; i < codes.length; i++) {
      double[] a = plain.decoded(codes[i]);
      double[] b = plain.decoded(codes[i - 1]);
      double scale = PlainQuantizer.squares(a) + PlainQuantizer.squares(b);
      assertEquals(
          plain.distance(a, b),
          quantizer.distance(codes[i], codes[i - 1]),
          PlainQuantizer.ROUNDING * scale);
    }
  }

  private static void assertNearestCentroids(PlainQuantizer plain, float[] vector, byte[] code) {
    double[] projected = plain.projected(vector);
    for (int m = 0; m < code.length; m++) {
      double chosen = plain.squareDistance(projected, m, code[m] & 0xFF);
      double nearest = Double.POSITIVE_INFINITY;
      for (int centroid = 0; centroid < PqKernels.CODEBOOK_SIZE; centroid++) {
        nearest = Math.min(nearest, plain.squareDistance(projected, m, centroid));
      }
      // Float sums may swap two centroids that are equally near up to rounding.
      assertEquals(nearest, chosen, 1e-4, "sub-quantizer " + m);
    }
  }

  @ParameterizedTest
  @CsvSource({"DOT_PRODUCT, 7, 16", "DOT_PRODUCT, 300, 32", "COSINE, 300, 32", "COSINE, 130, 96"})
  void codesErrLessAlongTheVectorWhereProductsDecide(
      Metric metric, int dimension, int bytes, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 600, dimension);
    for (float[] vector : vectors) {
      vector[0] += 0.5f; // a mean away from zero, where directions and centered vectors differ
    }
    ProductQuantizer quantizer = train(vectors, new PqLayout(dimension, bytes), metric);
    PlainQuantizer plain = new PlainQuantizer(quantizer);
    double alongNearest = 0;
    double along = 0;
    for (int i = 0; i < 100; i++) {
      double[] projected = plain.projected(vectors[i]);
      double[] direction = plain.direction(vectors[i]);
      byte[] nearest = plain.nearest(projected);
      byte[] code = quantizer.encode(vectors[i]);
      double loss = plain.loss(projected, direction, code, 4);
      assertTrue(loss <= plain.loss(projected, direction, nearest, 4) + 1e-4, "vector " + i);
      byte[] other = code.clone(); // of which the last sub-quantizer, which chose last, differs
      for (int centroid = 0; centroid < PqKernels.CODEBOOK_SIZE; centroid++) {
        other[bytes - 1] = (byte) centroid;
        assertTrue(loss <= plain.loss(projected, direction, other, 4) + 1e-4, "vector " + i);
      }
      alongNearest += plain.loss(projected, direction, nearest, 1e9) / 1e9;
      along += plain.loss(projected, direction, code, 1e9) / 1e9;
    }
    assertTrue(along < 0.7 * alongNearest, along + " of " + alongNearest);
  }

  @Test
  void encodesABatchAsItEncodesOneByOne(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 90);
    ProductQuantizer quantizer = train(vectors, Metric.COSINE);
    ProjectionBatch batch = quantizer.newBatch(37);
    assertEquals(37, batch.capacity());
    byte[] codes = new byte[5 + 37 * 32];
    for (int round = 0; round < 2; round++) { // the second round reuses the scratch of the first
      int count = round == 0 ? 37 : 11;
      for (int i = 0; i < count; i++) {
        batch.add(vectors[round * 100 + i]);
      }
      assertEquals(count, batch.count());
      batch.project();
      batch.encode(codes, 5);
      for (int i = 0; i < count; i++) {
        byte[] code = Arrays.copyOfRange(codes, 5 + 32 * i, 5 + 32 * (i + 1));
        assertArrayEquals(quantizer.encode(vectors[round * 100 + i]), code);
      }
      batch.clear();
    }
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void pointsThatCodesStandForHaveThoseCodes(Metric metric, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 90);
    ProductQuantizer quantizer = train(vectors, metric);
    byte[] codes = new byte[3 + 32];
    byte[] codesAgain = new byte[7 + 32];
    for (int i = 0; i < 50; i++) {
      byte[] code = quantizer.encode(vectors[i]);
      System.arraycopy(code, 0, codes, 3, 32);
      float[] point = new float[11 + quantizer.layout().projectedDimension()];
      quantizer.addDecodedTo(codes, 3, point, 11);
      quantizer.encodeProjected(point, 11, codesAgain, 7);
      assertArrayEquals(code, Arrays.copyOfRange(codesAgain, 7, 7 + 32));
    }
  }

  @Test
  void addsThePointsThatCodesStandFor(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 90);
    ProductQuantizer quantizer = train(vectors, Metric.COSINE);
    PlainQuantizer plain = new PlainQuantizer(quantizer);
    float[] sums = new float[quantizer.layout().projectedDimension()];
    double[] expected = new double[sums.length];
    for (int i = 0; i < 20; i++) {
      byte[] code = quantizer.encode(vectors[i]);
      quantizer.addDecodedTo(code, 0, sums, 0);
      for (int row = 0; row < sums.length; row++) {
        expected[row] += plain.centroids[row][code[row / quantizer.layout().subDimension()] & 0xFF];
      }
    }
    for (int row = 0; row < sums.length; row++) {
      assertEquals(expected[row], sums[row], 1e-5);
    }
  }

  /** The longest of all points that codes stand for is made of the longest centroids. */
  @Test
  void reachIsTheLengthOfTheLongestPoint(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 600, 130);
    ProductQuantizer quantizer = train(vectors, Metric.DOT_PRODUCT);
    PlainQuantizer plain = new PlainQuantizer(quantizer);
    double[] origin = new double[quantizer.layout().projectedDimension()];
    byte[] farthest = new byte[quantizer.layout().codeBytes()];
    for (int m = 0; m < farthest.length; m++) {
      for (int centroid = 0; centroid < PqKernels.CODEBOOK_SIZE; centroid++) {
        double distance = plain.squareDistance(origin, m, centroid);
        if (distance > plain.squareDistance(origin, m, farthest[m] & 0xFF)) {
          farthest[m] = (byte) centroid;
        }
      }
    }
    float[] mean = quantizer.mean();
    ProjectionBatch batch = quantizer.newBatch(3);
    for (float factor : new float[] {1, 0.25f, 1000}) {
      float[] vector = quantizer.decode(farthest);
      for (int d = 0; d < vector.length; d++) {
        vector[d] = mean[d] + factor * (vector[d] - mean[d]);
      }
      batch.add(vector);
    }
    batch.project();
    assertEquals(1, batch.reach(0), 1e-3);
    assertEquals(0.25, batch.reach(1), 1e-3);
    assertEquals(1000, batch.reach(2), 1);
  }

  @Test
  void leavesTheCallersVectorAlone(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 300, 24);
    ProductQuantizer quantizer = train(vectors, Metric.COSINE);
    float[] vector = vectors[0].clone();
    quantizer.encode(vector);
    quantizer.newTable().fill(vector);
    assertArrayEquals(vectors[0], vector);
  }

  @Test
  void codesOfCosineDoNotDependOnLength(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 500, 60);
    ProductQuantizer quantizer = train(vectors, Metric.COSINE);
    for (int i = 0; i < 50; i++) {
      byte[] expected = quantizer.encode(vectors[i]);
      // Powers of two change no rounding; they span the floats.
      for (int exponent : new int[] {-100, -3, 1, 90}) {
        float[] scaled =
            Vectors.scaled(new float[][] {vectors[i].clone()}, Math.scalb(1.0, exponent))[0];
        assertArrayEquals(expected, quantizer.encode(scaled), "times 2^" + exponent);
      }
    }
  }

  @Test
  void cosineIsDotProductOfUnitVectors(Random random) throws IOException {
    float[][] vectors = Vectors.normalized(Vectors.anisotropic(random, 800, 50));
    ProductQuantizer cosine = train(vectors, Metric.COSINE);
    ProductQuantizer dot = train(vectors, Metric.DOT_PRODUCT);
    double expected = dot.distortion(Vectors.source(vectors), all(vectors));
    assertEquals(
        expected, cosine.distortion(Vectors.source(vectors), all(vectors)), 0.05 * expected);
  }

  @ParameterizedTest
  @ValueSource(ints = {40, 300})
  void distortionIsTheLostShareOfTheSpread(int dimension, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 700, dimension);
    for (Metric metric : Metric.values()) {
      ProductQuantizer quantizer = train(vectors, metric);
      PlainQuantizer plain = new PlainQuantizer(quantizer);
      int[] ords = PqTrainer.sample(vectors.length, 200, 9);
      double[] mean = new double[dimension];
      for (int ord : ords) {
        double[] vector = plain.prepared(vectors[ord]);
        for (int d = 0; d < dimension; d++) {
          mean[d] += vector[d] / ords.length;
        }
      }
      double lost = 0;
      double spread = 0;
      for (int ord : ords) {
        double[] vector = plain.prepared(vectors[ord]);
        double[] decoded = plain.decoded(quantizer.encode(vectors[ord]));
        for (int d = 0; d < dimension; d++) {
          lost += (vector[d] - decoded[d]) * (vector[d] - decoded[d]);
          spread += (vector[d] - mean[d]) * (vector[d] - mean[d]);
        }
      }
      double expected = lost / spread;
      assertEquals(
          expected,
          quantizer.distortion(Vectors.source(vectors), ords),
          2 * Math.sqrt(expected) * PlainQuantizer.ROUNDING + 1e-6,
          metric.name());
    }
  }

  @Test
  void distortionOfNoneIsZero(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 300, 8);
    ProductQuantizer quantizer = train(vectors, Metric.EUCLIDEAN);
    assertEquals(0, quantizer.distortion(Vectors.source(vectors), new int[0]));
  }

  @Test
  void distortionOfOtherVectorsIsLarger(Random random) throws IOException {
    float[][] vectors = Vectors.clustered(random, 1000, 64, 8, 0.2);
    ProductQuantizer quantizer = train(vectors, Metric.EUCLIDEAN);
    float[][] others = Vectors.clustered(random, 1000, 64, 8, 0.2);
    double own = quantizer.distortion(Vectors.source(vectors), all(vectors));
    double foreign = quantizer.distortion(Vectors.source(others), all(others));
    assertTrue(foreign > 1.5 * own, foreign + " against " + own);
  }

  @Test
  void learnedProjectionLosesLessThanPlainSubspaces(Random random) throws IOException {
    int dimension = 128; // four to a sub-quantizer: nothing is dropped, only turned and dealt
    float[][] vectors = Vectors.anisotropic(random, 2000, dimension);
    double learned =
        train(vectors, Metric.EUCLIDEAN).distortion(Vectors.source(vectors), all(vectors));
    // The data was turned at random, so that this is the baseline of a random rotation too.
    double plain = distortionOfPlainSubspaces(vectors, 32, 4);
    assertTrue(learned < 0.7 * plain, learned + " against " + plain);
  }

  private static double distortionOfPlainSubspaces(
      float[][] vectors, int subQuantizers, int subDimension) {
    int dimension = vectors[0].length;
    float[] mean = new float[dimension];
    for (float[] vector : vectors) {
      for (int d = 0; d < dimension; d++) {
        mean[d] += vector[d] / vectors.length;
      }
    }
    float[] points = new float[vectors.length * dimension];
    double spread = 0;
    for (int i = 0; i < vectors.length; i++) {
      for (int d = 0; d < dimension; d++) {
        float value = vectors[i][d] - mean[d];
        points[i * dimension + d] = value;
        spread += (double) value * value;
      }
    }
    float[] codebooks = new float[dimension * PqKernels.CODEBOOK_SIZE];
    double lost = 0;
    for (int m = 0; m < subQuantizers; m++) {
      int column = m * subDimension;
      KMeans.train(points, vectors.length, dimension, column, subDimension, 5, m, codebooks);
      for (int i = 0; i < vectors.length; i++) {
        lost += KMeansTest.error(points, i * dimension, column, subDimension, codebooks);
      }
    }
    return lost / spread;
  }

  @Test
  void moreBytesLoseLess(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 800, 200);
    double before = 1;
    for (int bytes : new int[] {16, 32, 48, 64, 96}) {
      double lost =
          train(vectors, new PqLayout(200, bytes), Metric.EUCLIDEAN)
              .distortion(Vectors.source(vectors), all(vectors));
      assertTrue(lost < before, bytes + " bytes lose " + lost + ", fewer lose " + before);
      before = lost;
    }
  }

  @ParameterizedTest
  @EnumSource(Metric.class)
  void readsBackWhatItWrote(Metric metric, Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 400, 45);
    ProductQuantizer quantizer = train(vectors, metric);
    byte[] bytes = quantizer.toBytes();
    assertEquals(ProductQuantizer.byteSize(quantizer.layout()), bytes.length);
    ProductQuantizer read = ProductQuantizer.fromBytes(quantizer.layout(), metric, bytes);
    assertArrayEquals(bytes, read.toBytes());
    assertEquals(quantizer.layout(), read.layout());
    assertEquals(metric, read.metric());
    assertEquals(quantizer.id(), read.id());
    for (int i = 0; i < 50; i++) {
      byte[] code = quantizer.encode(vectors[i]);
      assertArrayEquals(code, read.encode(vectors[i]));
      assertArrayEquals(quantizer.decode(code), read.decode(code));
    }
    AdcTable table = quantizer.newTable();
    AdcTable tableRead = read.newTable();
    table.fill(vectors[0]);
    tableRead.fill(vectors[0]);
    assertArrayEquals(table.levels(), tableRead.levels());
  }

  @Test
  void identityIsOfTheBytes(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 300, 16);
    byte[] bytes = train(vectors, Metric.EUCLIDEAN).toBytes();
    String id = ProductQuantizer.id(bytes);
    assertTrue(id.matches("[0-9a-f]{32}"), id);
    assertEquals(id, ProductQuantizer.id(bytes.clone()));
    bytes[random.nextInt(bytes.length)] ^= 1;
    assertNotEquals(id, ProductQuantizer.id(bytes));
  }

  @Test
  void byteSizeFitsAnIntForEveryLayout() {
    assertEquals(
        4 * (4096 + 2 * 576) + 576 * (4096 * 10 / 8 + 256),
        ProductQuantizer.byteSize(new PqLayout(4096, 96)));
  }

  @Test
  void rejectsBytesOfAnotherLength(Random random) throws IOException {
    PqLayout layout = PqLayout.pq32(8);
    byte[] bytes = train(Vectors.gaussian(random, 300, 8), Metric.EUCLIDEAN).toBytes();
    for (int length : new int[] {0, bytes.length - 1, bytes.length + 4}) {
      byte[] other = Arrays.copyOf(bytes, length);
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> ProductQuantizer.fromBytes(layout, Metric.EUCLIDEAN, other));
      assertEquals(
          "a quantizer of "
              + layout
              + " has "
              + ProductQuantizer.byteSize(layout)
              + " bytes; got "
              + length,
          e.getMessage());
    }
  }

  @Test
  void rejectsValuesThatAreNotFinite(Random random) throws IOException {
    PqLayout layout = PqLayout.pq32(8);
    byte[] bytes = train(Vectors.gaussian(random, 300, 8), Metric.EUCLIDEAN).toBytes();
    record Damage(int position, float value, String message) {}
    for (Damage damage :
        new Damage[] {
          new Damage(4 * 3, Float.NaN, "mean 3 is NaN"),
          new Damage(4 * 8, Float.POSITIVE_INFINITY, "scale of component 0 is Infinity"),
          new Damage(
              4 * (8 + 32) + 8 * 32 * 10 / 8 + 4 * 5,
              Float.NEGATIVE_INFINITY,
              "scale of codebook row 5 is -Infinity"),
          new Damage(
              4 * (8 + 32) + 8 * 32 * 10 / 8 + 4 * 31, Float.NaN, "scale of codebook row 31 is NaN")
        }) {
      byte[] damaged = bytes.clone();
      ByteBuffer.wrap(damaged)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putFloat(damage.position, damage.value);
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> ProductQuantizer.fromBytes(layout, Metric.EUCLIDEAN, damaged));
      assertEquals(damage.message, e.getMessage());
    }
  }

  @Test
  void rejectsVectorsAndCodesOfAnotherSize(Random random) throws IOException {
    ProductQuantizer quantizer = train(Vectors.gaussian(random, 300, 8), Metric.EUCLIDEAN);
    byte[] code = new byte[32];
    assertMessage("vector must have dimension 8; got 7", () -> quantizer.encode(new float[7]));
    assertMessage(
        "vector must have dimension 8; got 9", () -> quantizer.newTable().fill(new float[9]));
    assertMessage("code must have 32 bytes; got 31", () -> quantizer.decode(new byte[31]));
    assertMessage("code must have 32 bytes; got 0", () -> quantizer.distance(new byte[0], code));
    assertMessage("code must have 32 bytes; got 33", () -> quantizer.distance(code, new byte[33]));
  }

  @Test
  void rejectsMoreVectorsThanABatchHolds(Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 300, 8);
    ProjectionBatch batch = train(vectors, Metric.EUCLIDEAN).newBatch(2);
    batch.add(vectors[0]);
    batch.add(vectors[1]);
    var e = assertThrows(IllegalStateException.class, () -> batch.add(vectors[2]));
    assertEquals("the batch holds 2 vectors already", e.getMessage());
  }

  private static void assertMessage(String message, Runnable call) {
    var e = assertThrows(IllegalArgumentException.class, call::run);
    assertEquals(message, e.getMessage());
  }

  @Test
  void encodesVectorsUnlikeAnyItWasTrainedOn(Random random) throws IOException {
    for (Metric metric : Metric.values()) {
      ProductQuantizer quantizer = train(Vectors.gaussian(random, 300, 20), metric);
      for (float value : new float[] {0, Float.MIN_VALUE, 1e-30f, 1e30f, Float.MAX_VALUE}) {
        float[] vector = new float[20];
        Arrays.fill(vector, value);
        byte[] code = quantizer.encode(vector);
        assertArrayEquals(code, quantizer.encode(vector));
        for (float decoded : quantizer.decode(code)) {
          assertTrue(Float.isFinite(decoded));
        }
        assertFalse(Float.isNaN(quantizer.distance(code, code)));
      }
    }
  }
}
