package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.lucene.search.HnswQueueSaturationCollector;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.search.knn.KnnSearchStrategy;
import org.apache.lucene.util.hnsw.RandomVectorScorer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(SeededRandom.class)
class RerankerTest {
  private static final int MAX_SUM = 12_000;

  /** What a level is worth: products lie between -1 and 1. */
  private static final double STEP = 5e-5;

  /** Scores from a list, and remembers what was asked for. */
  private static final class ListScorer implements RandomVectorScorer {
    final float[] scores;
    final List<Integer> scored = new ArrayList<>();

    ListScorer(float... scores) {
      this.scores = scores;
    }

    @Override
    public float score(int node) {
      scored.add(node);
      return scores[node];
    }

    @Override
    public int maxOrd() {
      return scores.length;
    }

    @Override
    public int ordToDoc(int ord) {
      return ord * 10;
    }
  }

  /** Hands out ordinals in pieces, the sums descending by one. */
  private static CandidateSource source(int piece, int... ords) {
    int[] position = new int[1];
    return () -> {
      int from = position[0];
      position[0] = Math.min(ords.length, from + piece);
      short[] sums = new short[position[0] - from];
      for (int i = 0; i < sums.length; i++) {
        sums[i] = (short) (MAX_SUM - from - i);
      }
      return new Candidates(Arrays.copyOfRange(ords, from, position[0]), sums);
    };
  }

  private static Reranker reranker(ListScorer scorer, KnnCollector collector) {
    return new Reranker(Similarity.DOT_PRODUCT, STEP, scorer, collector);
  }

  private static int[] upTo(int count) {
    return IntStream.range(0, count).toArray();
  }

  /** The score whose product is what the code of candidate {@code i} says and an error. */
  private static float score(int i, double error) {
    return (float) ((1 + STEP * (MAX_SUM - i) + error) / 2);
  }

  private static float[] scores(int count, IntToDoubleFunction error) {
    float[] scores = new float[count];
    for (int i = 0; i < count; i++) {
      scores[i] = score(i, error.applyAsDouble(i));
    }
    return scores;
  }

  private static int[] docs(TopKnnCollector collector) {
    return Arrays.stream(collector.topDocs().scoreDocs).mapToInt(hit -> hit.doc).toArray();
  }

  @Test
  void codesThatAreRightNeedFewVectors() throws IOException {
    // All off by the same: that is learned, and changes no order.
    ListScorer scorer = new ListScorer(scores(1000, i -> -0.25));
    TopKnnCollector collector = new TopKnnCollector(10, Integer.MAX_VALUE);
    reranker(scorer, collector).collect(source(1000, upTo(1000)), 10);
    assertEquals(36, scorer.scored.size()); // the first 20, and a slice that does not compete
    assertArrayEquals(new int[] {0, 10, 20, 30, 40, 50, 60, 70, 80, 90}, docs(collector));
  }

  @Test
  void theMoreCodesScatterTheMoreVectorsAreScored(Random random) throws IOException {
    double before = 20;
    for (double scatter : new double[] {20, 60, 180}) {
      double scored = 0; // on average
      int rounds = 20;
      for (int round = 0; round < rounds; round++) {
        ListScorer scorer =
            new ListScorer(scores(2000, _ -> scatter * STEP * random.nextGaussian()));
        TopKnnCollector collector = new TopKnnCollector(10, Integer.MAX_VALUE);
        reranker(scorer, collector).collect(source(200, upTo(2000)), 10);
        scored += (double) scorer.scored.size() / rounds;
      }
      assertTrue(scored > before, scored + " after " + before);
      assertTrue(scored < 10 * scatter, scored + " at a scatter of " + scatter);
      before = scored;
    }
  }

  @Test
  void findsWhatTheCodesPutOffByTwoDeviations(Random random) throws IOException {
    double recall = 0;
    int rounds = 50;
    for (int round = 0; round < rounds; round++) {
      float[] scores = scores(3000, _ -> 40 * STEP * random.nextGaussian());
      TopKnnCollector collector = new TopKnnCollector(10, Integer.MAX_VALUE);
      reranker(new ListScorer(scores), collector).collect(source(200, upTo(3000)), 10);
      int[] found = Arrays.stream(docs(collector)).map(doc -> doc / 10).toArray();
      recall += BruteForce.recall(BruteForce.top(3000, 10, i -> scores[i]), found) / rounds;
    }
    assertTrue(recall > 0.98, "recall " + recall);
  }

  @Test
  void zeroToleranceScoresAllThatIsListed() throws IOException {
    // The codes are right, so nothing is to be expected after the first ten.
    ListScorer scorer = new ListScorer(scores(1000, i -> -0.25));
    int listed = Reranker.depth(10);
    reranker(scorer, tolerant(10, 0)).collect(source(listed, upTo(listed)), 10);
    assertEquals(listed, scorer.scored.size());
  }

  @Test
  void zeroToleranceGoesOnUntilManyInARowAreInVain() throws IOException {
    ListScorer scorer = new ListScorer(scores(1000, i -> -0.25));
    reranker(scorer, tolerant(10, 0)).collect(source(1000, upTo(1000)), 10);
    assertEquals(20 + 4 * Reranker.depth(10), scorer.scored.size());
  }

  @Test
  void theMoreIsToleratedTheFewerVectorsAreScored(Random random) throws IOException {
    double[] tolerances = {0, 0.001, 0.02, 0.3};
    int[] scored = new int[tolerances.length];
    for (int round = 0; round < 50; round++) {
      float[] scores = scores(2000, _ -> 60 * STEP * random.nextGaussian());
      for (int t = 0; t < tolerances.length; t++) {
        ListScorer scorer = new ListScorer(scores);
        reranker(scorer, tolerant(10, tolerances[t])).collect(source(200, upTo(2000)), 10);
        scored[t] += scorer.scored.size();
      }
    }
    for (int t = 1; t < tolerances.length; t++) {
      assertTrue(scored[t] < 0.9 * scored[t - 1], Arrays.toString(scored));
    }
  }

  @Test
  void toleranceGivesUpNothingBeforeThereAreKHits() throws IOException {
    ListScorer scorer = new ListScorer(scores(700, _ -> 0));
    TopKnnCollector collector = tolerant(1000, 0.999);
    reranker(scorer, collector).collect(source(64, upTo(700)), 100); // of k documents a part
    assertEquals(700, docs(collector).length);
  }

  private static TopKnnCollector tolerant(int k, double tolerance) {
    return new TopKnnCollector(k, Integer.MAX_VALUE, new Pq32SearchStrategy(tolerance));
  }

  @Test
  void aCollectorThatKnowsBetterHitsEndsItEarly() throws IOException {
    ListScorer scorer = new ListScorer(scores(1000, i -> i % 2 * 50 * STEP));
    TopKnnCollector alone = new TopKnnCollector(10, Integer.MAX_VALUE);
    reranker(scorer, alone).collect(source(1000, upTo(1000)), 10);
    int scoredAlone = scorer.scored.size();

    TopKnnCollector global = new TopKnnCollector(10, Integer.MAX_VALUE);
    for (int doc = 0; doc < 10; doc++) {
      global.collect(1_000_000 + doc, 1);
    }
    ListScorer second = new ListScorer(scorer.scores);
    reranker(second, global).collect(source(1000, upTo(1000)), 10);
    assertEquals(20, second.scored.size());
    assertTrue(scoredAlone > 20, scoredAlone + " scored");
  }

  @Test
  void patienceEndsIt() throws IOException {
    // Codes so far off that all compete. Every slice is a block: one with hits, then one without,
    // and as many as patience lasts.
    float[] scores = scores(1000, i -> i % 2 - 1);
    Arrays.fill(scores, 0, 10, 1);
    for (int patience : new int[] {0, 2, 5}) {
      ListScorer scorer = new ListScorer(scores);
      TopKnnCollector top =
          new TopKnnCollector(10, Integer.MAX_VALUE, KnnSearchStrategy.Hnsw.DEFAULT);
      KnnCollector collector = new HnswQueueSaturationCollector(top, 0.995, patience);
      reranker(scorer, collector).collect(source(1000, upTo(1000)), 10);
      assertEquals(20 + 16 * (patience + 1), scorer.scored.size());
    }
  }

  @Test
  void aTimeoutEndsItAfterTheFirstSlice() throws IOException {
    ListScorer scorer = new ListScorer(scores(1000, _ -> 0));
    TopKnnCollector top = new TopKnnCollector(100, 1);
    top.incVisitedCount(1);
    reranker(scorer, top).collect(source(1000, upTo(1000)), 100);
    assertEquals(100, scorer.scored.size());
    assertEquals(100, docs(top).length);
  }

  @Test
  void aSeededCollectorNeedsNoOtherStrategy() throws IOException {
    KnnSearchStrategy seeded = new KnnSearchStrategy.Seeded(null, 0, null);
    TopKnnCollector collector = new TopKnnCollector(10, Integer.MAX_VALUE, seeded);
    reranker(new ListScorer(scores(100, _ -> 0)), collector).collect(source(100, upTo(100)), 10);
    assertEquals(10, docs(collector).length);
  }

  @Test
  void readsVectorsOfASliceInTheOrderTheyLie(Random random) throws IOException {
    List<Integer> shuffled = new ArrayList<>(IntStream.range(0, 100).boxed().toList());
    Collections.shuffle(shuffled, random);
    int[] ords = shuffled.stream().mapToInt(Integer::intValue).toArray();
    ListScorer scorer = new ListScorer(scores(100, _ -> STEP * random.nextInt(1000)));
    reranker(scorer, new TopKnnCollector(5, Integer.MAX_VALUE)).collect(source(100, ords), 5);
    assertTrue(scorer.scored.size() >= 36);
    for (int from = 0; from < scorer.scored.size(); from += from == 0 ? 20 : 16) {
      int to = Math.min(scorer.scored.size(), from + (from == 0 ? 20 : 16));
      List<Integer> slice = scorer.scored.subList(from, to);
      assertEquals(slice.stream().sorted().toList(), slice);
    }
  }

  @Test
  void takesAllUntilThereAreKHits() throws IOException {
    // The collector is never full, so everything competes.
    ListScorer scorer = new ListScorer(scores(700, _ -> 0));
    TopKnnCollector collector = new TopKnnCollector(1000, Integer.MAX_VALUE);
    reranker(scorer, collector).collect(source(64, upTo(700)), 1000);
    assertEquals(700, scorer.scored.size());
    assertEquals(700, docs(collector).length);
  }

  @Test
  void givesExactScores(Random random) throws IOException {
    for (int round = 0; round < 30; round++) {
      int count = 1 + random.nextInt(400);
      float[] scores = new float[count];
      for (int i = 0; i < count; i++) {
        scores[i] = random.nextFloat();
      }
      int k = 1 + random.nextInt(30);
      TopKnnCollector collector = new TopKnnCollector(k, Integer.MAX_VALUE);
      // Codes that say nothing: all that there is has to be scored.
      new Reranker(Similarity.DOT_PRODUCT, 0, new ListScorer(scores), collector)
          .collect(source(1 + random.nextInt(100), upTo(count)), k);
      ScoreDoc[] hits = collector.topDocs().scoreDocs;
      for (ScoreDoc hit : hits) {
        assertEquals(scores[hit.doc / 10], hit.score);
      }
    }
  }

  @Test
  void scoresOfInfiniteDistancesDoNotEndIt() throws IOException {
    // The first 30 are so far away that their scores are 0: nothing can be learned from them.
    float[] scores = scores(100, _ -> 0);
    Arrays.fill(scores, 0, 30, 0f);
    TopKnnCollector collector = new TopKnnCollector(10, Integer.MAX_VALUE);
    new Reranker(Similarity.EUCLIDEAN, STEP, new ListScorer(scores), collector)
        .collect(source(100, upTo(100)), 10);
    int[] docs = docs(collector);
    assertEquals(10, docs.length);
    assertEquals(300, docs[0]);
  }

  @Test
  void noCandidatesAreNoHits() throws IOException {
    TopKnnCollector collector = new TopKnnCollector(3, Integer.MAX_VALUE);
    reranker(new ListScorer(), collector).collect(source(5), 3);
    assertEquals(0, docs(collector).length);
  }

  @Test
  void equalScoresEndTheSearch() throws IOException {
    ListScorer scorer = new ListScorer(new float[10_000]);
    Arrays.fill(scorer.scores, 0.5f);
    TopKnnCollector collector = new TopKnnCollector(10, Integer.MAX_VALUE);
    reranker(scorer, collector).collect(source(400, upTo(10_000)), 10);
    assertTrue(scorer.scored.size() <= 440, scorer.scored.size() + " scored");
    assertEquals(10, docs(collector).length);
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void linearUndoesTheScore(Similarity similarity, Random random) {
    for (int i = 0; i < 100; i++) {
      float[] a = Vectors.normalized(Vectors.gaussian(random, 1, 8))[0];
      float[] b = Vectors.normalized(Vectors.gaussian(random, 1, 8))[0];
      double product = 0;
      double squares = 0;
      for (int d = 0; d < 8; d++) {
        product += (double) a[d] * b[d];
        squares += (double) (a[d] - b[d]) * (a[d] - b[d]);
      }
      assertEquals(
          similarity == Similarity.EUCLIDEAN ? -squares / 2 : product,
          similarity.linear(similarity.function().compare(a, b)),
          1e-5);
    }
  }
}
