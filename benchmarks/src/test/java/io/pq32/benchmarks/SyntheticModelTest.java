package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SyntheticModelTest {
  private static final int CHUNK = SyntheticModel.CHUNK_SIZE;

  @TempDir Path folder;

  @Test
  void sameSeedGivesTheSameBytes() throws Exception {
    write(1500, 48, 7, "one");
    write(1500, 48, 7, "two");
    assertArrayEquals(bytes("one"), bytes("two"));
    write(1500, 48, 8, "other");
    assertFalse(Arrays.equals(bytes("one"), bytes("other")));
  }

  @Test
  void smallerSetIsTheBeginningOfALargerOne() throws Exception {
    write(2 * CHUNK + 300, 24, 7, "large");
    for (int count : new int[] {1, CHUNK - 1, CHUNK, CHUNK + 1}) {
      VectorSet small = write(count, 24, 7, "small" + count);
      assertEquals(count, small.size());
      byte[] expected = Arrays.copyOf(bytes("large"), count * 24 * Float.BYTES);
      assertArrayEquals(expected, bytes("small" + count));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 33, 100, 768})
  void everyVectorHasUnitLength(int dimension) throws Exception {
    VectorSet vectors = write(CHUNK, dimension, 42, "unit");
    for (int i = 0; i < vectors.size(); i++) {
      float[] vector = vectors.get(i);
      assertEquals(1, Similarity.dot(vector, vector), 1e-5);
    }
  }

  @Test
  void queriesAreOthersThanTheVectors() {
    SyntheticModel model = new SyntheticModel(16, 42);
    assertFalse(
        Arrays.equals(
            chunk(model, SyntheticModel.Role.BASE), chunk(model, SyntheticModel.Role.QUERY)));
  }

  @Test
  void rotationIsOrthonormal() {
    int dimension = 200;
    float[] rotation = SyntheticModel.rotation(RandomGenerator.of("L64X128MixRandom"), dimension);
    for (int i = 0; i < dimension; i++) {
      float[] row = Arrays.copyOfRange(rotation, i * dimension, (i + 1) * dimension);
      for (int j = 0; j <= i; j++) {
        float[] other = Arrays.copyOfRange(rotation, j * dimension, (j + 1) * dimension);
        assertEquals(i == j ? 1 : 0, Similarity.dot(row, other), 1e-3);
      }
    }
  }

  /** What the model promises of its shape; a Gaussian ball would fail all of it. */
  @Test
  void vectorsAreClusteredAroundACommonDirection() {
    float[] vectors = chunk(new SyntheticModel(768, 42), SyntheticModel.Role.BASE);
    double sum = 0;
    double nearest = 0;
    for (int i = 0; i < CHUNK; i++) {
      double best = -1;
      for (int j = 0; j < CHUNK; j++) {
        if (i != j) {
          double cosine = dot(vectors, i, j);
          sum += cosine;
          best = Math.max(best, cosine);
        }
      }
      nearest += best;
    }
    double mean = sum / ((double) CHUNK * (CHUNK - 1));
    assertTrue(mean > 0.3 && mean < 0.42, "mean cosine " + mean);
    nearest /= CHUNK;
    assertTrue(nearest > mean + 0.1 && nearest < 0.9, "cosine of the nearest " + nearest);
  }

  private static double dot(float[] vectors, int i, int j) {
    double sum = 0;
    for (int d = 0; d < 768; d++) {
      sum += vectors[i * 768 + d] * vectors[j * 768 + d];
    }
    return sum;
  }

  private static float[] chunk(SyntheticModel model, SyntheticModel.Role role) {
    float[] vectors = new float[CHUNK * model.dimension()];
    model.chunk(role, 0, vectors, new float[vectors.length]);
    return vectors;
  }

  private VectorSet write(int count, int dimension, long seed, String name) throws Exception {
    try (Progress progress = TestFiles.QUIET.start("generate", count)) {
      return SyntheticFile.write(
          new SyntheticModel(dimension, seed),
          SyntheticModel.Role.BASE,
          count,
          folder.resolve(name),
          Arena.ofAuto(),
          progress);
    }
  }

  private byte[] bytes(String name) throws Exception {
    return Files.readAllBytes(folder.resolve(name));
  }
}
