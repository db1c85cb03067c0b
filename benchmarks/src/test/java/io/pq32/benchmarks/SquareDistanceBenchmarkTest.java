package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SquareDistanceBenchmarkTest {
  @ParameterizedTest
  @ValueSource(ints = {128, 768})
  void measuresTheSameTwoDistinctVectorsEveryTime(int dimension) {
    SquareDistanceBenchmark benchmark = new SquareDistanceBenchmark();
    benchmark.dimension = dimension;
    benchmark.draw();
    float distance = benchmark.lucene();
    benchmark.draw();
    assertEquals(distance, benchmark.lucene());
    assertNotEquals(0f, distance);
  }
}
