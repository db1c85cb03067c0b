package io.pq32.benchmarks;

import java.util.Arrays;
import java.util.List;
import org.openjdk.jmh.annotations.Param;

/** Which values does a benchmark give one of its parameters? */
final class BenchmarkParameters {
  private BenchmarkParameters() {}

  static List<String> of(Class<?> benchmark, String field) throws NoSuchFieldException {
    return List.of(benchmark.getField(field).getAnnotation(Param.class).value());
  }

  static List<Integer> ints(Class<?> benchmark, String field) throws NoSuchFieldException {
    return Arrays.stream(benchmark.getField(field).getAnnotation(Param.class).value())
        .map(Integer::valueOf)
        .toList();
  }
}
