package io.pq32.benchmarks;

import java.util.List;
import java.util.Map;

/** Tells the results of hybrid search: a table to read, and the same as JSON lines. */
final class HybridReport {
  /** What one way of ranking gave. */
  record Ranking(String ranking, RankingQuality quality) {}

  /** The same as a line of JSON, with what another implementation gave, or null. */
  private record Line(
      String ranking, int questions, RankingQuality quality, RankingQuality reference) {}

  /**
   * Data set whose figures are known from another implementation: BM25 and exact search in Python,
   * 600 questions.
   */
  private static final String REFERENCE_NAME = "text-768";

  private static final int REFERENCE_QUESTIONS = 600;

  private static final Map<String, RankingQuality> REFERENCES =
      Map.of(
          "bm25", new RankingQuality(.655, .803, .913),
          "exact", new RankingQuality(.622, .818, .937),
          "rrf(bm25, exact)", new RankingQuality(.641, .823, .963));

  private final ReportWriter writer;
  private final String dataset;

  HybridReport(ReportWriter writer, String dataset) {
    this.writer = writer;
    this.dataset = dataset;
  }

  /** Tells the rankings of so many questions. */
  void rankings(int questions, List<Ranking> rankings) {
    boolean known = dataset.equals(REFERENCE_NAME) && questions == REFERENCE_QUESTIONS;
    TextTable table =
        new TextTable("ranking", "MRR@10", "recall@10", "recall@100", "elsewhere measured");
    for (Ranking ranking : rankings) {
      RankingQuality quality = ranking.quality();
      RankingQuality reference = known ? REFERENCES.get(ranking.ranking()) : null;
      writer.line("hybrid", new Line(ranking.ranking(), questions, quality, reference));
      table.add(
          ranking.ranking(),
          ReportWriter.number("%.4f", quality.mrr10()),
          ReportWriter.number("%.4f", quality.recall10()),
          ReportWriter.number("%.4f", quality.recall100()),
          reference == null
              ? "-"
              : "%s %s %s"
                  .formatted(
                      ReportWriter.number("%.3f", reference.mrr10()),
                      ReportWriter.number("%.3f", reference.recall10()),
                      ReportWriter.number("%.3f", reference.recall100())));
    }
    writer.print(
        "%,d questions, %d hits of each ranking; rrf is reciprocal-rank fusion%n%s",
        questions, HybridRun.DEPTH, table);
  }
}
