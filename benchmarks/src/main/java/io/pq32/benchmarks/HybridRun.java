package io.pq32.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TotalHits;
import org.apache.lucene.util.QueryBuilder;

/** Searches texts, vectors and both, and tells where what is looked for is found. */
final class HybridRun {
  /** Hits of every ranking, and of those that are fused. */
  static final int DEPTH = 100;

  /** The constant of reciprocal-rank fusion (Cormack, Clarke and Buettcher 2009). */
  private static final int RRF_CONSTANT = 60;

  private final Dataset data;
  private final KnownItems items;
  private final RecallPlan plan;
  private final Path work;
  private final Progress.Factory progress;

  /**
   * @param data with a truth of {@link #DEPTH} neighbors, or of all vectors if there are fewer
   */
  HybridRun(Dataset data, KnownItems items, RecallPlan plan, Path work, Progress.Factory progress) {
    this.data = data;
    this.items = items;
    this.plan = plan;
    this.work = work;
    this.progress = progress;
  }

  void run(RecallReport report, HybridReport hybridReport) throws IOException {
    try (BuiltIndexes indexes =
        BuiltIndexes.build(data, plan, items.fields(), work, progress, report)) {
      List<ScoreDoc[]> texts = texts(indexes.lucene(plan.contenders().getFirst()));
      List<ScoreDoc[]> exact = exact();
      List<HybridReport.Ranking> rankings = new ArrayList<>();
      rankings.add(ranking("bm25", texts));
      rankings.add(ranking("exact", exact));
      rankings.add(ranking("rrf(bm25, exact)", fused(texts, exact)));
      for (Contender contender : plan.contenders()) {
        List<ScoreDoc[]> vectors = vectors(indexes.lucene(contender));
        rankings.add(ranking(contender.toString(), vectors));
        rankings.add(ranking("rrf(bm25, " + contender + ")", fused(texts, vectors)));
      }
      hybridReport.rankings(items.questions().size(), rankings);
    }
  }

  private HybridReport.Ranking ranking(String name, List<ScoreDoc[]> rankings) {
    return new HybridReport.Ranking(name, RankingQuality.of(items.questions(), rankings));
  }

  private List<ScoreDoc[]> texts(LuceneIndex index) throws IOException {
    List<ScoreDoc[]> rankings = new ArrayList<>();
    try (Analyzer analyzer = new StandardAnalyzer()) {
      QueryBuilder words = new QueryBuilder(analyzer);
      for (KnownItems.Question question : items.questions()) {
        // Null if the text has no word.
        Query query = words.createBooleanQuery(KnownItems.TEXT_FIELD, question.text());
        rankings.add(query == null ? new ScoreDoc[0] : index.ranking(query, DEPTH));
      }
    }
    return rankings;
  }

  private List<ScoreDoc[]> exact() {
    List<ScoreDoc[]> rankings = new ArrayList<>();
    for (KnownItems.Question question : items.questions()) {
      float[] query = data.queries().get(question.query());
      rankings.add(
          Arrays.stream(data.truth().neighbors()[question.query()])
              .limit(DEPTH)
              .mapToObj(id -> new ScoreDoc(id, score(query, id)))
              .toArray(ScoreDoc[]::new));
    }
    return rankings;
  }

  private float score(float[] query, int id) {
    return (float) -data.similarity().distance(query, data.base().get(id));
  }

  private List<ScoreDoc[]> vectors(LuceneIndex index) throws IOException {
    List<ScoreDoc[]> rankings = new ArrayList<>();
    for (KnownItems.Question question : items.questions()) {
      rankings.add(index.ranking(data.queries().get(question.query()), DEPTH));
    }
    return rankings;
  }

  private static List<ScoreDoc[]> fused(List<ScoreDoc[]> first, List<ScoreDoc[]> second) {
    return IntStream.range(0, first.size())
        .mapToObj(i -> fused(first.get(i), second.get(i)))
        .toList();
  }

  private static ScoreDoc[] fused(ScoreDoc[] first, ScoreDoc[] second) {
    TopDocs[] both = {topDocs(first), topDocs(second)};
    return TopDocs.rrf(DEPTH, RRF_CONSTANT, both).scoreDocs;
  }

  private static TopDocs topDocs(ScoreDoc[] ranking) {
    return new TopDocs(new TotalHits(ranking.length, TotalHits.Relation.EQUAL_TO), ranking);
  }
}
