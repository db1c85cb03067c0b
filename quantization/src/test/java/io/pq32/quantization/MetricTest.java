package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class MetricTest {
  @Test
  void wireNumbersAreDistinct() {
    assertEquals(
        Metric.values().length,
        Arrays.stream(Metric.values()).mapToInt(Metric::wireNumber).distinct().count());
  }
}
