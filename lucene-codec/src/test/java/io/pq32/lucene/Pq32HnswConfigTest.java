package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class Pq32HnswConfigTest {
  private static final Pq32HnswConfig DEFAULT = Pq32HnswConfig.DEFAULT;

  @Test
  void changesOneValueAtATime() {
    assertEquals(new Pq32HnswConfig(8, 100, 32, 2048, 4_000_000), DEFAULT.withMaxConn(8));
    assertEquals(new Pq32HnswConfig(16, 64, 32, 2048, 4_000_000), DEFAULT.withBeamWidth(64));
    assertEquals(new Pq32HnswConfig(16, 100, 96, 2048, 4_000_000), DEFAULT.withBytesPerVector(96));
    assertEquals(new Pq32HnswConfig(16, 100, 32, 1, 4_000_000), DEFAULT.withMinQuantizedCount(1));
    assertEquals(new Pq32HnswConfig(16, 100, 32, 2048, 5), DEFAULT.withGraphThreshold(5));
  }

  @Test
  void changesTheShapeOfTheGraphAtOnce() {
    // One after the other, either order would pass through a beam narrower than maxConn.
    assertEquals(new Pq32HnswConfig(200, 300, 32, 2048, 4_000_000), DEFAULT.withGraph(200, 300));
    assertEquals(new Pq32HnswConfig(4, 8, 32, 2048, 4_000_000), DEFAULT.withGraph(4, 8));
  }

  static Stream<Arguments> bounds() {
    IntFunction<Pq32HnswConfig> maxConn = value -> DEFAULT.withGraph(value, 3200);
    IntFunction<Pq32HnswConfig> beamWidth = DEFAULT::withBeamWidth;
    IntFunction<Pq32HnswConfig> minQuantizedCount = DEFAULT::withMinQuantizedCount;
    IntFunction<Pq32HnswConfig> graphThreshold = DEFAULT::withGraphThreshold;
    return Stream.of(
        Arguments.of("maxConn", 2, 512, maxConn),
        Arguments.of("beamWidth", 16, 3200, beamWidth),
        Arguments.of("minQuantizedCount", 1, Integer.MAX_VALUE, minQuantizedCount),
        Arguments.of("graphThreshold", 1, Integer.MAX_VALUE, graphThreshold));
  }

  @ParameterizedTest
  @MethodSource("bounds")
  void acceptsTheBoundsAndRejectsWhatIsBeyond(
      String name, int min, int max, IntFunction<Pq32HnswConfig> with) {
    with.apply(min);
    with.apply(max);
    for (int value : new int[] {Integer.MIN_VALUE, -1, 0, min - 1, max + 1}) {
      if (value < min || value > max) {
        var e = assertThrows(IllegalArgumentException.class, () -> with.apply(value));
        assertEquals(
            name + " must be between " + min + " and " + max + "; got " + value, e.getMessage());
      }
    }
  }

  @Test
  void rejectsABeamNarrowerThanTheLinksOfANode() {
    var e = assertThrows(IllegalArgumentException.class, () -> DEFAULT.withMaxConn(101));
    assertEquals("beamWidth must be between 101 and 3200; got 100", e.getMessage());
  }

  @Test
  void takesOnlyTheBytesPerVectorThatTheKernelsHave() {
    List<Integer> accepted = List.of(16, 32, 48, 64, 96);
    for (int value = -1; value <= 130; value++) {
      int bytes = value;
      if (accepted.contains(value)) {
        assertEquals(value, DEFAULT.withBytesPerVector(value).bytesPerVector());
      } else {
        var e =
            assertThrows(IllegalArgumentException.class, () -> DEFAULT.withBytesPerVector(bytes));
        assertEquals(
            "bytesPerVector must be one of 16, 32, 48, 64, 96; got " + value, e.getMessage());
      }
    }
  }
}
