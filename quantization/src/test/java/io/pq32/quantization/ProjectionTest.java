package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(SeededRandom.class)
class ProjectionTest {
  private static final int DIMENSION = 300;
  private static final int COLUMNS = 192;

  private static short[] integers(Random random) {
    short[] integers = new short[DIMENSION * COLUMNS];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = (short) random.nextInt(-511, 512);
    }
    return integers;
  }

  private static float[] positive(Random random, int length, double size) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) (size * (1 + random.nextDouble()));
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-35, 1e-10, 1, 1e10, 1e35})
  void projectsOneAsInABatchButForRounding(double size, Random random) {
    short[] integers = integers(random);
    // What is projected is of the size of 1.
    float[] scales = positive(random, COLUMNS, 1 / size);
    Projection projection = new Projection(integers, scales);
    int count = 7;
    float[] vectors = positive(random, count * DIMENSION, size);
    float[] batch = new float[count * COLUMNS];
    projection.batch(vectors, count, batch);
    for (int i = 0; i < count; i++) {
      float[] vector = new float[DIMENSION];
      System.arraycopy(vectors, i * DIMENSION, vector, 0, DIMENSION);
      float[] one = new float[COLUMNS];
      projection.one(vector, one);
      for (int column = 0; column < COLUMNS; column++) {
        double exact = 0;
        double magnitude = 0;
        for (int d = 0; d < DIMENSION; d++) {
          double term = (double) vector[d] * integers[d * COLUMNS + column] * scales[column] / 511;
          exact += term;
          magnitude += Math.abs(term);
        }
        // Each term is rounded as a factor, as a product and in the sum; all of them by the scale.
        double bound = (DIMENSION + 3) * Math.ulp(1f) * magnitude;
        assertEquals(exact, one[column], bound, "one at " + column);
        assertEquals(exact, batch[i * COLUMNS + column], bound, "batch at " + column);
      }
    }
  }

  @Test
  void projectsToZeroWhereAllIsZero() {
    Projection projection = new Projection(new short[DIMENSION * COLUMNS], new float[COLUMNS]);
    float[] out = new float[COLUMNS];
    projection.one(positive(new Random(1), DIMENSION, 1e38), out);
    assertArrayEquals(new float[COLUMNS], out);
  }

  @Test
  void holdsFloatsOnlyAfterABatch(Random random) {
    short[] integers = integers(random);
    Projection projection = new Projection(integers, positive(random, COLUMNS, 1));
    float[] vector = positive(random, DIMENSION, 1);
    float[] out = new float[COLUMNS];
    projection.one(vector, out);
    long before = projection.ramBytesUsed();
    assertTrue(before < 2L * integers.length + 16L * COLUMNS, before + " bytes");
    projection.batch(vector, 1, out);
    assertEquals(before + 4L * integers.length, projection.ramBytesUsed());
  }
}
