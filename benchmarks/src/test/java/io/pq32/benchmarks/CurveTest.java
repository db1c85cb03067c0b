package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CurveTest {
  @Test
  void interpolatesTheTimeOfAQuery() {
    Curve.Reading reading = curve(0.9, 1000, 1.0, 250).at(0.95).orElseThrow();
    // 1 ms and 4 ms: half way is 2.5 ms
    assertEquals(400, reading.queriesPerSecond(), 1e-6);
    assertEquals(false, reading.lowerBound());
  }

  @Test
  void readsAMeasuredPointAsItIs() {
    Curve curve = curve(0.9, 1000, 0.95, 700, 0.99, 100);
    assertEquals(new Curve.Reading(1000, false), curve.at(0.9).orElseThrow());
    assertEquals(700, curve.at(0.95).orElseThrow().queriesPerSecond(), 1e-6);
    assertEquals(100, curve.at(0.99).orElseThrow().queriesPerSecond(), 1e-6);
  }

  @Test
  void knowsOnlyALowerBoundBelowTheSmallestRecall() {
    assertEquals(new Curve.Reading(800, true), curve(0.97, 800, 0.99, 300).at(0.95).orElseThrow());
  }

  @Test
  void tellsThatARecallWasNotReached() {
    assertTrue(curve(0.9, 800, 0.98, 300).at(0.99).isEmpty());
  }

  @Test
  void ignoresPointsThatAnotherBeatsInBoth() {
    // The slow point at .95 has less recall and less speed than the one at .96.
    assertEquals(
        curve(0.9, 1000, 0.96, 500).at(0.95), curve(0.9, 1000, 0.95, 50, 0.96, 500).at(0.95));
  }

  @Test
  void namesTheFastestPointOfTheHighestRecall() {
    assertEquals(new Curve.Point(1, 300), curve(0.9, 800, 1, 200, 1, 300).best());
  }

  private static Curve curve(double... recallsAndSpeeds) {
    List<Curve.Point> points =
        Stream.iterate(0, i -> i < recallsAndSpeeds.length, i -> i + 2)
            .map(i -> new Curve.Point(recallsAndSpeeds[i], recallsAndSpeeds[i + 1]))
            .toList();
    return new Curve(points);
  }
}
