package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs each kernel benchmark once with each parameter: do all variants measure the same work? */
class KernelBenchmarkTest {
  static List<String> kernels() throws NoSuchFieldException {
    return BenchmarkParameters.of(KernelBenchmark.class, "kernels");
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void scansTheSameSums(String kernels) throws NoSuchFieldException {
    for (int count : BenchmarkParameters.ints(ScanBenchmark.class, "count")) {
      ScanBenchmark expected = scan("scalar", count);
      ScanBenchmark benchmark = scan(kernels, count);
      for (int call = 0; call < 3; call++) {
        assertArrayEquals(expected.scan(), benchmark.scan());
      }
      int found = benchmark.scanBlocks();
      assertEquals(expected.scanBlocks(), found);
      assertTrue(found > 0 && found < ScanBenchmark.WINDOW / 200, "got " + found);
    }
  }

  private static ScanBenchmark scan(String kernels, int count) {
    ScanBenchmark benchmark = new ScanBenchmark();
    benchmark.kernels = kernels;
    benchmark.count = count;
    benchmark.draw();
    return benchmark;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void encodesAlike(String kernels) {
    assertAlike(encode("scalar").encode(), encode(kernels).encode());
    assertAlike(encode("scalar").refine(), encode(kernels).refine());
  }

  private static void assertAlike(byte[] expected, byte[] codes) {
    int differing = 0;
    for (int i = 0; i < codes.length; i++) {
      differing += codes[i] == expected[i] ? 0 : 1;
    }
    // Two centroids may be equally near but for rounding.
    assertTrue(differing <= codes.length / 500, differing + " of " + codes.length + " differ");
  }

  private static EncodeBenchmark encode(String kernels) {
    EncodeBenchmark benchmark = new EncodeBenchmark();
    benchmark.kernels = kernels;
    benchmark.draw();
    return benchmark;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void fillsTheSameTable(String kernels) {
    assertArrayEquals(table("scalar").innerProducts(), table(kernels).innerProducts(), 1e-3f);
    byte[] expected = table("scalar").quantize();
    byte[] levels = table(kernels).quantize();
    for (int i = 0; i < levels.length; i++) {
      assertEquals(expected[i], levels[i], 1);
    }
  }

  private static TableBenchmark table(String kernels) {
    TableBenchmark benchmark = new TableBenchmark();
    benchmark.kernels = kernels;
    benchmark.draw();
    return benchmark;
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void projectsAlike(String kernels) throws NoSuchFieldException {
    for (int dimension : BenchmarkParameters.ints(ProjectBenchmark.class, "dimension")) {
      float[] expected = project("scalar", dimension).batch();
      assertArrayEquals(expected, project(kernels, dimension).batch(), 1e-3f);
      float[] one = project(kernels, dimension).one();
      for (int i = 0; i < KernelBenchmark.PROJECTED_DIMENSION; i++) {
        assertEquals(expected[i], one[i], 1e-3f);
      }
      float[] byIntegers = project(kernels, dimension).oneByIntegers();
      for (int i = 0; i < KernelBenchmark.PROJECTED_DIMENSION; i++) {
        // Rounding an integer errs by .29 on the average, of at most 511 for 5 deviations.
        assertEquals(expected[i], byIntegers[i], 5 * .29f * 5 / 511 * (float) Math.sqrt(dimension));
      }
    }
  }

  private static ProjectBenchmark project(String kernels, int dimension) {
    ProjectBenchmark benchmark = new ProjectBenchmark();
    benchmark.kernels = kernels;
    benchmark.dimension = dimension;
    benchmark.draw();
    return benchmark;
  }

  @Test
  void scoresTheSameCodes() throws Exception {
    assertArrayEquals(score("pq32-scalar"), score("pq32-vector"));
  }

  @Test
  void scoresTheSameVectors() throws Exception {
    float[] exact = score("float");
    float[] half = new float[exact.length];
    Arrays.fill(half, .5f);
    // Inner products of random unit vectors of 768 dimensions deviate by .036 from 0, which Lucene
    // halves into scores around .5. One bit per dimension estimates an inner product to .027.
    double spread = meanDifference(exact, half);
    assertTrue(spread > .01 && spread < .02, "mean difference from .5: " + spread);
    assertTrue(meanDifference(exact, score("int8")) < .0005);
    assertTrue(meanDifference(exact, score("1bit")) < spread);
  }

  private static double meanDifference(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.abs(a[i] - b[i]);
    }
    return sum / a.length;
  }

  @Test
  void comparesWithEveryScorer() throws NoSuchFieldException {
    assertEquals(
        List.of("pq32-scalar", "pq32-vector", "float", "int8", "1bit"),
        BenchmarkParameters.of(ScoreBenchmark.class, "scorer"));
  }

  private static float[] score(String scorer) throws Exception {
    ScoreBenchmark benchmark = new ScoreBenchmark();
    benchmark.scorer = scorer;
    benchmark.count = 500;
    benchmark.draw();
    try {
      return benchmark.score().clone();
    } finally {
      benchmark.close();
    }
  }
}
