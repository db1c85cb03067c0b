package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(SeededRandom.class)
class ProductSpreadTest {
  private static final int DIMENSION = 96;

  private static ProductQuantizer train(float[][] vectors) throws IOException {
    return PqTrainer.train(
        Vectors.source(vectors),
        PqLayout.pq32(DIMENSION),
        Metric.DOT_PRODUCT,
        1,
        CooperativeTasks.CALLER_ONLY);
  }

  private static float spread(ProductQuantizer quantizer, float[][] vectors) {
    int codeBytes = quantizer.layout().codeBytes();
    byte[] codes = new byte[vectors.length * codeBytes];
    float[] mean = new float[quantizer.layout().projectedDimension()];
    for (int i = 0; i < vectors.length; i++) {
      System.arraycopy(quantizer.encode(vectors[i]), 0, codes, i * codeBytes, codeBytes);
      quantizer.addDecodedTo(codes, i * codeBytes, mean, 0);
    }
    for (int i = 0; i < mean.length; i++) {
      mean[i] /= vectors.length;
    }
    return new ProductSpread(quantizer).of(codes, vectors.length, mean);
  }

  /** Of queries distributed as the vectors; in levels, as {@link AdcTable} sums them. */
  @ParameterizedTest
  @ValueSource(doubles = {0.3, 1, 5})
  void isTheDeviationOfProducts(double length, Random random) throws IOException {
    float[][] all = Vectors.anisotropic(random, 3000, DIMENSION);
    float[][] members = Vectors.scaled(Arrays.copyOf(all, 64), length);
    float[][] queries = Arrays.copyOfRange(all, 64, 400);
    ProductQuantizer quantizer = train(Arrays.copyOfRange(all, 400, all.length));
    float spread = spread(quantizer, members);
    AdcTable table = quantizer.newTable();
    double expected = 0;
    double squares = 0;
    for (float[] query : queries) {
      table.fill(query);
      double sum = 0;
      double sumOfSquares = 0;
      for (float[] member : members) {
        double product = -table.distance(quantizer.encode(member), 0) / table.step();
        sum += product;
        sumOfSquares += product * product;
      }
      double mean = sum / members.length;
      squares += sumOfSquares / members.length - mean * mean;
      expected += spread * table.length() * spread * table.length();
    }
    System.err.println("RATIO " + Math.sqrt(squares / expected));
    assertEquals(1, Math.sqrt(squares / expected), 0.3);
  }

  @Test
  void ofOneCodeIsNothing(Random random) throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 600, DIMENSION);
    ProductQuantizer quantizer = train(vectors);
    float one = spread(quantizer, new float[][] {vectors[0]});
    float same = spread(quantizer, new float[][] {vectors[1], vectors[1], vectors[1]});
    float all = spread(quantizer, vectors);
    assertEquals(0, one, 1e-3 * all);
    assertEquals(0, same, 1e-3 * all);
  }

  @Test
  void ofEqualVectorsIsNothing() throws IOException {
    float[][] vectors = new float[100][DIMENSION];
    assertEquals(0, spread(train(vectors), vectors));
  }
}
