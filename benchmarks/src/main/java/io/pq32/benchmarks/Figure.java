package io.pq32.benchmarks;

import org.knowm.xchart.XYChart;

/** A picture of what a run found. */
interface Figure {
  /** Tells the file of this figure from those of the others of the same run; may be empty. */
  String suffix();

  String title();

  /** What the picture shows, in words. */
  String description();

  XYChart chart();

  static String speedLabel(int threads) {
    return "queries per second, " + (threads == 1 ? "one thread" : threads + " threads");
  }
}
