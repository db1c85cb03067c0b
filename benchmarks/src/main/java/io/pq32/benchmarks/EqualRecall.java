package io.pq32.benchmarks;

import java.util.Map;
import java.util.Optional;

/** How do the speeds of formats compare at equal recall? Every format with the first. */
final class EqualRecall {
  /**
   * One format at one recall.
   *
   * @param speed to read
   * @param ratio speed of the first format over this one's, to read
   */
  record Comparison(RecallReport.AtRecall figures, String speed, String ratio) {}

  private final Map<String, Curve> curves;
  private final String first;

  EqualRecall(Map<String, Curve> curves) {
    this.curves = curves;
    this.first = curves.keySet().iterator().next();
  }

  String first() {
    return first;
  }

  Comparison at(String format, double recall) {
    Optional<Curve.Reading> base = curves.get(first).at(recall);
    Optional<Curve.Reading> reading = curves.get(format).at(recall);
    Double ratio =
        base.isPresent() && reading.isPresent()
            ? (Double) (base.get().queriesPerSecond() / reading.get().queriesPerSecond())
            : null;
    return new Comparison(
        new RecallReport.AtRecall(
            format,
            recall,
            reading.map(Curve.Reading::queriesPerSecond).orElse(null),
            reading.map(Curve.Reading::lowerBound).orElse(false),
            ratio),
        reading
            .map(
                r ->
                    (r.lowerBound() ? ">=" : "")
                        + ReportWriter.number("%,.0f", r.queriesPerSecond()))
            .orElse("not reached"),
        ratio == null || format.equals(first)
            ? "-"
            : bound(base.get(), reading.get()) + ReportWriter.number("%.2fx", ratio));
  }

  /** What is known of a ratio whose parts may be lower bounds. */
  private static String bound(Curve.Reading numerator, Curve.Reading denominator) {
    if (numerator.lowerBound() && denominator.lowerBound()) {
      return "~";
    }
    return numerator.lowerBound() ? ">=" : denominator.lowerBound() ? "<=" : "";
  }
}
