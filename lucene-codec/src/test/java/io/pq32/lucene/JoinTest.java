package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.join.BitSetProducer;
import org.apache.lucene.search.join.DiversifyingChildrenFloatKnnVectorQuery;
import org.apache.lucene.search.join.QueryBitSetProducer;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Parents with several vectors each, as children: every parent counts once. */
@ExtendWith(SeededRandom.class)
class JoinTest {
  private static final int K = 10;
  private static final BitSetProducer PARENTS =
      new QueryBitSetProducer(new TermQuery(new Term("kind", "parent")));

  /** Writes blocks of children, each followed by its parent, and children's colors. */
  private static void write(
      Directory directory, Storage storage, float[][][] children, int segments) throws IOException {
    try (IndexWriter writer =
        new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
      int parent = 0;
      for (float[][] vectors : children) {
        List<Document> block = new ArrayList<>();
        for (int i = 0; i < vectors.length; i++) {
          Document child = new Document();
          child.add(new StringField("color", i % 2 == 0 ? "red" : "blue", Field.Store.NO));
          child.add(new KnnFloatVectorField(FIELD, vectors[i], VectorSimilarityFunction.EUCLIDEAN));
          block.add(child);
        }
        Document document = new Document();
        document.add(new StringField("kind", "parent", Field.Store.NO));
        block.add(document);
        writer.addDocuments(block);
        if (++parent == children.length / 2) {
          writer.flush();
        }
      }
      writer.forceMerge(segments);
    }
  }

  /** Numbers of the parents of the hits, best first; checks that no parent has two hits. */
  private static int[] search(
      DirectoryReader reader, float[][][] children, float[] query, Query filter)
      throws IOException {
    ScoreDoc[] hits =
        new IndexSearcher(reader)
            .search(
                new DiversifyingChildrenFloatKnnVectorQuery(FIELD, query, filter, K, PARENTS), K)
            .scoreDocs;
    int[] parents = new int[hits.length];
    for (int i = 0; i < hits.length; i++) {
      int doc = hits[i].doc;
      int parent = 0;
      while (doc > children[parent].length) {
        doc -= children[parent].length + 1;
        parent++;
      }
      parents[i] = parent;
      assertEquals(
          VectorSimilarityFunction.EUCLIDEAN.compare(query, children[parent][doc]),
          hits[i].score,
          1e-5);
    }
    assertEquals(hits.length, Arrays.stream(parents).distinct().count());
    return parents;
  }

  private static int[] nearest(float[][][] children, float[] query, int step) {
    IntToDoubleFunction score =
        parent -> {
          double best = Double.NEGATIVE_INFINITY;
          for (int i = 0; i < children[parent].length; i += step) {
            best = Math.max(best, -Vectors.squareDistance(query, children[parent][i]));
          }
          return best;
        };
    return BruteForce.top(children.length, K, score);
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void findsTheNearestParents(Storage storage, Random random) throws IOException {
    float[][][] children = new float[500][][];
    float[][] centers = Vectors.gaussian(random, children.length, 24);
    for (int parent = 0; parent < children.length; parent++) {
      children[parent] = around(random, centers[parent], 1 + random.nextInt(12), 0.4);
    }
    assertFinds(storage, children, 1, random, 0.95);
    assertFinds(storage, children, 2, random, 0.95);
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aParentWithCrowdsOfChildrenDoesNotHideTheOthers(Storage storage, Random random)
      throws IOException {
    // The 100 candidates that ten hits normally take all belong to one parent or two.
    float[][][] children = new float[30][][];
    float[][] centers = Vectors.gaussian(random, children.length, 24);
    for (int parent = 0; parent < children.length; parent++) {
      children[parent] = around(random, centers[parent], 120, 0.2);
    }
    assertFinds(storage, children, 1, random, 0.9);
  }

  private static float[][] around(Random random, float[] center, int count, double spread) {
    float[][] vectors = Vectors.gaussian(random, count, center.length);
    for (float[] vector : vectors) {
      for (int d = 0; d < vector.length; d++) {
        vector[d] = (float) (center[d] + spread * vector[d]);
      }
    }
    return vectors;
  }

  private static void assertFinds(
      Storage storage, float[][][] children, int segments, Random random, double floor)
      throws IOException {
    try (Directory directory = new ByteBuffersDirectory()) {
      write(directory, storage, children, segments);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        assertEquals(segments, reader.leaves().size());
        double recall = 0;
        double filtered = 0;
        int queries = 20;
        for (int q = 0; q < queries; q++) {
          float[] query = children[random.nextInt(children.length)][0].clone();
          query[0] += 0.3f;
          int[] found = search(reader, children, query, null);
          assertEquals(K, found.length);
          recall += BruteForce.recall(nearest(children, query, 1), found) / queries;
          found = search(reader, children, query, new TermQuery(new Term("color", "red")));
          assertEquals(K, found.length);
          filtered += BruteForce.recall(nearest(children, query, 2), found) / queries;
        }
        assertTrue(recall >= floor, "recall@10 " + recall);
        assertTrue(filtered >= floor, "recall@10 of red children " + filtered);
      }
    }
  }
}
