package io.pq32.benchmarks;

import java.util.List;
import org.apache.lucene.search.ScoreDoc;

/**
 * How well do rankings place what is relevant? Hits of equal score share the best of their ranks:
 * they are duplicates as a rule, and which of them comes first is chance.
 *
 * @param mrr10 mean over the questions of 1 / rank of the first relevant hit, 0 beyond rank 10
 * @param recall10 mean share of what is relevant that has rank 10 or better
 * @param recall100 mean share of what is relevant that has rank 100 or better
 */
record RankingQuality(double mrr10, double recall10, double recall100) {
  /** The quality of one ranking per question: base ids in place of documents, best first. */
  static RankingQuality of(List<KnownItems.Question> questions, List<ScoreDoc[]> rankings) {
    double reciprocal = 0;
    double among10 = 0;
    double among100 = 0;
    for (int i = 0; i < rankings.size(); i++) {
      var relevant = questions.get(i).relevant();
      ScoreDoc[] hits = rankings.get(i);
      int first = Integer.MAX_VALUE;
      int found10 = 0;
      int found100 = 0;
      int rank = 0;
      for (int place = 0; place < hits.length; place++) {
        if (place == 0 || hits[place].score < hits[place - 1].score) {
          rank = place + 1;
        }
        if (relevant.contains(hits[place].doc)) {
          first = Math.min(first, rank);
          found10 += rank <= 10 ? 1 : 0;
          found100 += rank <= 100 ? 1 : 0;
        }
      }
      reciprocal += first <= 10 ? 1.0 / first : 0;
      among10 += (double) found10 / relevant.size();
      among100 += (double) found100 / relevant.size();
    }
    int count = rankings.size();
    return new RankingQuality(reciprocal / count, among10 / count, among100 / count);
  }
}
