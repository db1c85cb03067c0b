package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.hnsw.RandomVectorScorer;
import org.apache.lucene.util.hnsw.RandomVectorScorerSupplier;
import org.apache.lucene.util.hnsw.UpdateableRandomVectorScorer;

/**
 * What does a vector score that has no similarity? Nothing: 0, the least there is.
 *
 * <p>A cosine is not a number where the square of a length is none: to Lucene, below 1e-23 or above
 * 1e19; nor is an inner product of which one part overflows to infinity and another to its
 * negative. Lucene's queues take what is not a number for the best score of all, and whoever asks
 * whether the largest of some scores is large enough hears no: one such vector would come first in
 * every search, and hide those scored together with it.
 */
class DefinedScores implements RandomVectorScorer {
  private final RandomVectorScorer scorer;

  private DefinedScores(RandomVectorScorer scorer) {
    this.scorer = scorer;
  }

  static RandomVectorScorer of(RandomVectorScorer scorer) {
    return new DefinedScores(scorer);
  }

  static RandomVectorScorerSupplier of(RandomVectorScorerSupplier scorers) {
    return new RandomVectorScorerSupplier() {
      @Override
      public UpdateableRandomVectorScorer scorer() throws IOException {
        return new Updateable(scorers.scorer());
      }

      @Override
      public RandomVectorScorerSupplier copy() throws IOException {
        return DefinedScores.of(scorers.copy());
      }
    };
  }

  private static final class Updateable extends DefinedScores
      implements UpdateableRandomVectorScorer {
    private final UpdateableRandomVectorScorer scorer;

    Updateable(UpdateableRandomVectorScorer scorer) {
      super(scorer);
      this.scorer = scorer;
    }

    @Override
    public void setScoringOrdinal(int ord) throws IOException {
      scorer.setScoringOrdinal(ord);
    }
  }

  private static float defined(float score) {
    return Float.isNaN(score) ? 0 : score;
  }

  @Override
  public float score(int ord) throws IOException {
    return defined(scorer.score(ord));
  }

  @Override
  public float bulkScore(int[] ords, float[] scores, int count) throws IOException {
    scorer.bulkScore(ords, scores, count);
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      scores[i] = defined(scores[i]);
      max = Math.max(max, scores[i]);
    }
    return max;
  }

  @Override
  public int maxOrd() {
    return scorer.maxOrd();
  }

  @Override
  public int ordToDoc(int ord) {
    return scorer.ordToDoc(ord);
  }

  @Override
  public Bits getAcceptOrds(Bits acceptDocs) {
    return scorer.getAcceptOrds(acceptDocs);
  }
}
