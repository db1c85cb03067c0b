package io.pq32.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Tells the results of filtered searches: tables to read, and the same as JSON lines. */
final class FilterReport {
  /**
   * What one format gave at one setting under a filter.
   *
   * @param correlated whether passing the filter has to do with the vector
   * @param selectivity share of the vectors that pass
   */
  record FilteredSearch(
      String filter,
      boolean correlated,
      double selectivity,
      int queries,
      RecallReport.Search search) {}

  /** The speed of a format at one recall under a filter. */
  record FilteredAtRecall(String filter, double selectivity, RecallReport.AtRecall atRecall) {}

  private final ReportWriter writer;

  FilterReport(ReportWriter writer) {
    this.writer = writer;
  }

  /** Tells what was found under one filter. */
  List<FilteredSearch> filter(FilterCase filter, List<RecallReport.Search> found, RecallPlan plan) {
    List<FilteredSearch> searches = new ArrayList<>();
    TextTable table = RecallReport.searchTable(plan.k());
    for (RecallReport.Search search : found) {
      FilteredSearch filtered =
          new FilteredSearch(
              filter.name(),
              filter.correlated(),
              filter.selectivity(),
              filter.data().queries().size(),
              search);
      writer.line("filtered-search", filtered);
      searches.add(filtered);
      RecallReport.addTo(table, search);
    }
    writer.print(
        "Filter %s: %s of the vectors pass%s; %,d queries%n%s",
        filter.name(),
        percent(filter.selectivity()),
        filter.correlated() ? ", which has to do with the vector" : "",
        filter.data().queries().size(),
        table);
    return searches;
  }

  /** Compares speeds at equal recall, filter by filter; every format against the first. */
  void summary(List<FilteredSearch> all, List<Double> targets) {
    List<String> header = new ArrayList<>(List.of("filter", "passing", "format", "best recall"));
    for (double target : targets) {
      header.add("QPS at " + ReportWriter.number("%.3f", target));
      header.add("the first is");
    }
    TextTable table = new TextTable(header.toArray(String[]::new));
    byFilter(all).forEach((_, searches) -> addTo(table, searches, targets));
    writer.print("Speed at equal recall (>= where even the fastest setting has more)%n%s", table);
  }

  private void addTo(TextTable table, List<FilteredSearch> searches, List<Double> targets) {
    FilteredSearch any = searches.getFirst();
    Map<String, Curve> curves =
        Curve.byFormat(searches.stream().map(FilteredSearch::search).toList());
    EqualRecall equal = new EqualRecall(curves);
    curves.forEach(
        (format, curve) -> {
          List<String> cells = new ArrayList<>();
          cells.add(any.filter());
          cells.add(percent(any.selectivity()));
          cells.add(format);
          cells.add(ReportWriter.number("%.4f", curve.best().recall()));
          for (double target : targets) {
            EqualRecall.Comparison comparison = equal.at(format, target);
            writer.line(
                "filtered-at-recall",
                new FilteredAtRecall(any.filter(), any.selectivity(), comparison.figures()));
            cells.add(comparison.speed());
            cells.add(comparison.ratio());
          }
          table.add(cells.toArray(String[]::new));
        });
  }

  /** The searches under each filter, in the order in which they first appear. */
  static Map<String, List<FilteredSearch>> byFilter(List<FilteredSearch> searches) {
    Map<String, List<FilteredSearch>> groups = new LinkedHashMap<>();
    for (FilteredSearch search : searches) {
      groups.computeIfAbsent(search.filter(), _ -> new ArrayList<>()).add(search);
    }
    return groups;
  }

  /** A share, with digits for the smallest. */
  private static String percent(double share) {
    return String.format(Locale.ROOT, share < 0.001 ? "%.3f %%" : "%.1f %%", 100 * share);
  }
}
