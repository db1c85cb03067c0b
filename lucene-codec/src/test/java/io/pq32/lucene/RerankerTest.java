package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.util.hnsw.RandomVectorScorer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SeededRandom.class)
class RerankerTest {
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

  /** Hands out ordinals in pieces. */
  private static CandidateSource source(int piece, int... ords) {
    int[] position = new int[1];
    return () -> {
      int from = position[0];
      position[0] = Math.min(ords.length, from + piece);
      return Arrays.copyOfRange(ords, from, position[0]);
    };
  }

  private static int[] upTo(int count) {
    return IntStream.range(0, count).toArray();
  }

  private static float[] descending(int count) {
    float[] scores = new float[count];
    for (int i = 0; i < count; i++) {
      scores[i] = count - i;
    }
    return scores;
  }

  private static int[] docs(TopKnnCollector collector) {
    return Arrays.stream(collector.topDocs().scoreDocs).mapToInt(hit -> hit.doc).toArray();
  }

  @Test
  void stopsAfterTheDepthWhenCandidatesComeInOrder() throws IOException {
    ListScorer scorer = new ListScorer(descending(1000));
    TopKnnCollector collector = new TopKnnCollector(10, Integer.MAX_VALUE);
    Reranker.collect(source(1000, upTo(1000)), 100, scorer, collector);
    assertEquals(100, scorer.scored.size());
    assertArrayEquals(new int[] {0, 10, 20, 30, 40, 50, 60, 70, 80, 90}, docs(collector));
  }

  @Test
  void goesOnWhileSlicesHoldBetterOnes() throws IOException {
    float[] scores = descending(1000);
    scores[149] = 5000; // in the third slice of 50
    scores[199] = 6000; // in the fourth
    scores[300] = 7000; // in the seventh, after one that could not compete
    ListScorer scorer = new ListScorer(scores);
    TopKnnCollector collector = new TopKnnCollector(2, Integer.MAX_VALUE);
    Reranker.collect(source(1000, upTo(1000)), 100, scorer, collector);
    // The second slice does not compete: the search ends before the third.
    assertEquals(100, scorer.scored.size());

    scores[99] = 4000; // now it does, and so do the third and the fourth, not the fifth
    scorer = new ListScorer(scores);
    collector = new TopKnnCollector(2, Integer.MAX_VALUE);
    Reranker.collect(source(1000, upTo(1000)), 100, scorer, collector);
    assertEquals(250, scorer.scored.size());
    assertArrayEquals(new int[] {1990, 1490}, docs(collector));
  }

  @Test
  void readsVectorsOfASliceInTheOrderTheyLie(Random random) throws IOException {
    List<Integer> shuffled = new ArrayList<>(IntStream.range(0, 100).boxed().toList());
    Collections.shuffle(shuffled, random);
    int[] ords = shuffled.stream().mapToInt(Integer::intValue).toArray();
    ListScorer scorer = new ListScorer(descending(100));
    Reranker.collect(source(100, ords), 100, scorer, new TopKnnCollector(5, Integer.MAX_VALUE));
    for (int from = 0; from < 100; from += 50) {
      List<Integer> slice = scorer.scored.subList(from, from + 50);
      assertEquals(slice.stream().sorted().toList(), slice);
    }
  }

  @Test
  void takesAllUntilThereAreKHits() throws IOException {
    // The collector is never full, so everything competes.
    ListScorer scorer = new ListScorer(descending(700));
    TopKnnCollector collector = new TopKnnCollector(1000, Integer.MAX_VALUE);
    Reranker.collect(source(64, upTo(700)), 100, scorer, collector);
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
      // A depth of all makes it exact.
      Reranker.collect(
          source(1 + random.nextInt(100), upTo(count)),
          2 * count,
          new ListScorer(scores),
          collector);
      ScoreDoc[] hits = collector.topDocs().scoreDocs;
      int[] expected = BruteForce.top(count, k, i -> scores[i]);
      assertEquals(expected.length, hits.length);
      for (int i = 0; i < hits.length; i++) {
        assertEquals(expected[i] * 10, hits[i].doc);
        assertEquals(scores[expected[i]], hits[i].score);
      }
    }
  }

  @Test
  void noCandidatesAreNoHits() throws IOException {
    TopKnnCollector collector = new TopKnnCollector(3, Integer.MAX_VALUE);
    Reranker.collect(source(5), 72, new ListScorer(), collector);
    assertEquals(0, docs(collector).length);
  }

  @Test
  void equalScoresEndTheSearch() throws IOException {
    float[] scores = new float[10_000];
    ListScorer scorer = new ListScorer(scores);
    TopKnnCollector collector = new TopKnnCollector(10, Integer.MAX_VALUE);
    Reranker.collect(source(400, upTo(10_000)), 100, scorer, collector);
    assertTrue(scorer.scored.size() <= 100, scorer.scored.size() + " scored");
    assertEquals(10, docs(collector).length);
  }
}
