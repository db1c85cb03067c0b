package io.pq32.benchmarks;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How fast is a format at a given recall? Read from the points measured at several settings. */
final class Curve {
  /** What one setting gave. */
  record Point(double recall, double queriesPerSecond) {}

  /**
   * Speed at some recall.
   *
   * @param lowerBound true if every measured point has more recall than asked for, so that a less
   *     thorough search would be faster still
   */
  record Reading(double queriesPerSecond, boolean lowerBound) {}

  private final List<Point> frontier; // recall ascending, speed descending

  Curve(List<Point> points) {
    List<Point> byRecall = new ArrayList<>(points);
    byRecall.sort(
        Comparator.comparingDouble(Point::recall).thenComparingDouble(Point::queriesPerSecond));
    frontier = new ArrayList<>();
    for (Point point : byRecall.reversed()) {
      // A point that another beats in both is what nobody would choose.
      if (frontier.isEmpty() || point.queriesPerSecond() > frontier.getFirst().queriesPerSecond()) {
        frontier.addFirst(point);
      }
    }
  }

  /** The curve of each format, in the order in which they first appear. */
  static Map<String, Curve> byFormat(List<RecallReport.Search> searches) {
    Map<String, List<Point>> points = new LinkedHashMap<>();
    for (RecallReport.Search search : searches) {
      points
          .computeIfAbsent(search.format(), _ -> new ArrayList<>())
          .add(new Point(search.recall(), search.queriesPerSecond()));
    }
    Map<String, Curve> curves = new LinkedHashMap<>();
    points.forEach((format, measured) -> curves.put(format, new Curve(measured)));
    return curves;
  }

  /** The points that no other beats in both, recall ascending. */
  List<Point> points() {
    return List.copyOf(frontier);
  }

  /** The highest recall reached, and the best speed at it. */
  Point best() {
    return frontier.getLast();
  }

  /**
   * The speed at a recall; empty if it was not reached. Between two points the time of a query is
   * interpolated: recall grows ever more slowly with time, so the line lies below the true curve
   * and the speed read from it is not flattering.
   */
  Optional<Reading> at(double recall) {
    if (best().recall() < recall) {
      return Optional.empty();
    }
    int above = 0;
    while (frontier.get(above).recall() < recall) {
      above++;
    }
    Point right = frontier.get(above);
    if (above == 0) {
      return Optional.of(new Reading(right.queriesPerSecond(), right.recall() > recall));
    }
    Point left = frontier.get(above - 1);
    double part = (recall - left.recall()) / (right.recall() - left.recall());
    double leftTime = 1 / left.queriesPerSecond();
    double rightTime = 1 / right.queriesPerSecond();
    return Optional.of(new Reading(1 / (leftTime + part * (rightTime - leftTime)), false));
  }
}
