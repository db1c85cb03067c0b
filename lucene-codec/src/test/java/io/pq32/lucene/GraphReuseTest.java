package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.SortField;
import org.apache.lucene.search.SortedNumericSortField;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.InfoStream;
import org.apache.lucene.util.hnsw.HnswGraph;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A merge starts with the graph that brings most vectors, and nobody can tell from the hits. */
@ExtendWith(SeededRandom.class)
class GraphReuseTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;
  private static final String REUSED = "starts with the links of ";
  private static final int MAX_CONN = 8;
  private static final int K = 10;

  /** Says how many nodes kept their links in each merge. */
  private static final class Reuses extends InfoStream {
    final List<String> messages = new ArrayList<>();

    @Override
    public void message(String component, String message) {
      int start = message.indexOf(REUSED);
      if (start >= 0) {
        messages.add(message.substring(start + REUSED.length()));
      }
    }

    @Override
    public boolean isEnabled(String component) {
      return component.equals(CodebookPolicy.INFO_COMPONENT);
    }

    @Override
    public void close() {}
  }

  private static IndexWriterConfig config(int maxConn, InfoStream infoStream) {
    return VectorIndex.mergingConfig(new CodesOnlyFormat(Storage.graph().withGraph(maxConn, 40)))
        .setInfoStream(infoStream);
  }

  private static void delete(IndexWriter writer, BitSet live, int id) throws IOException {
    live.clear(id);
    writer.deleteDocuments(IntField.newExactQuery(ID, id));
  }

  /** Recall of forced walks. */
  private static double recall(Directory directory, float[][] vectors, BitSet live, Random random)
      throws IOException {
    int queries = 200;
    double recall = 0;
    try (DirectoryReader reader = DirectoryReader.open(directory)) {
      assertEquals(1, reader.leaves().size());
      assertEquals(live.cardinality(), reader.maxDoc());
      IndexSearcher searcher = new IndexSearcher(reader);
      for (int q = 0; q < queries; q++) {
        float[] query = vectors[random.nextInt(vectors.length)].clone();
        for (int d = 0; d < query.length; d++) {
          query[d] += (float) (0.1 * random.nextGaussian());
        }
        var hits = searcher.search(new KnnFloatVectorQuery(FIELD, query, K), K).scoreDocs;
        int[] nearest = VectorIndex.nearest(vectors, query, K, SIMILARITY, live::get);
        recall += BruteForce.recall(nearest, VectorIndex.ids(reader, hits)) / queries;
      }
    }
    return recall;
  }

  private static double recallOfFresh(float[][] vectors, BitSet live, Random random)
      throws IOException {
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, config(MAX_CONN, InfoStream.NO_OUTPUT))) {
        for (int id = live.nextSetBit(0); id >= 0; id = live.nextSetBit(id + 1)) {
          VectorIndex.add(writer, vectors, id, id + 1, SIMILARITY);
        }
      }
      return recall(directory, vectors, live, random);
    }
  }

  @Test
  void recallOutlivesTwentyGenerationsOfDeletesAndMerges(Random random) throws IOException {
    int size = 3000;
    int renewed = 300;
    int generations = 20;
    float[][] vectors = Vectors.clustered(random, size + generations * renewed, 32, 30, 0.7);
    Reuses reuses = new Reuses();
    BitSet live = new BitSet();
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer = new IndexWriter(directory, config(MAX_CONN, reuses))) {
        VectorIndex.add(writer, vectors, 0, size, SIMILARITY);
        live.set(0, size);
        writer.flush();
        for (int generation = 0; generation < generations; generation++) {
          int end = size + generation * renewed;
          for (int i = 0; i < renewed; ) {
            int id = random.nextInt(end);
            if (live.get(id)) {
              delete(writer, live, id);
              i++;
            }
          }
          VectorIndex.add(writer, vectors, end, end + renewed, SIMILARITY);
          live.set(end, end + renewed);
          writer.forceMerge(1);
        }
      }
      assertEquals(generations, reuses.messages.size());
      for (String message : reuses.messages) {
        assertEquals(size - renewed + " of " + size + " nodes", message);
      }
      long seed = random.nextLong();
      double recall = recall(directory, vectors, live, new Random(seed));
      double fresh = recallOfFresh(vectors, live, new Random(seed));
      assertTrue(recall >= fresh - 0.005, recall + " where a fresh index has " + fresh);
      assertTrue(fresh >= 0.9, "a fresh index has " + fresh);
    }
  }

  /** Merges a segment with a graph, of which some vectors are deleted, with a later one. */
  private static List<String> merge(
      float[][] vectors, int first, int deleted, int maxConn, Sort sort, Random random)
      throws IOException {
    Reuses reuses = new Reuses();
    BitSet live = new BitSet();
    live.set(0, vectors.length);
    try (Directory directory = new ByteBuffersDirectory()) {
      IndexWriterConfig before = config(MAX_CONN, InfoStream.NO_OUTPUT);
      if (sort != null) {
        before.setIndexSort(sort);
      }
      try (IndexWriter writer = new IndexWriter(directory, before)) {
        VectorIndex.add(writer, vectors, 0, first, SIMILARITY);
      }
      IndexWriterConfig after = config(maxConn, reuses);
      if (sort != null) {
        after.setIndexSort(sort);
      }
      try (IndexWriter writer = new IndexWriter(directory, after)) {
        for (int id = 0; id < deleted; id++) {
          delete(writer, live, id);
        }
        VectorIndex.add(writer, vectors, first, vectors.length, SIMILARITY);
        writer.forceMerge(1);
      }
      double recall = recall(directory, vectors, live, random);
      assertTrue(recall >= 0.9, "recall " + recall);
    }
    return reuses.messages;
  }

  @Test
  void startsWithTheGraphThatBringsAtLeastHalf(Random random) throws IOException {
    float[][] vectors = Vectors.clustered(random, 1600, 24, 20, 0.7);
    assertEquals(List.of("1500 of 1600 nodes"), merge(vectors, 1500, 0, MAX_CONN, null, random));
    assertEquals(List.of("800 of 1600 nodes"), merge(vectors, 800, 0, MAX_CONN, null, random));
    assertEquals(List.of("1500 of 1500 nodes"), merge(vectors, 1600, 100, MAX_CONN, null, random));
  }

  @Test
  void startsAfreshWhereTooMuchIsMissing(Random random) throws IOException {
    float[][] vectors = Vectors.clustered(random, 1600, 24, 20, 0.7);
    assertEquals(List.of(), merge(vectors, 1500, 600, MAX_CONN, null, random));
    assertEquals(List.of(), merge(vectors, 1500, 0, 2 * MAX_CONN, null, random));
  }

  @Test
  void followsVectorsThatAnIndexSortMoves(Random random) throws IOException {
    float[][] vectors = Vectors.clustered(random, 1600, 24, 20, 0.7);
    SortField byId = new SortedNumericSortField(ID, SortField.Type.INT, true);
    assertEquals(
        List.of("1300 of 1500 nodes"), merge(vectors, 1400, 100, MAX_CONN, new Sort(byId), random));
  }

  @Test
  void insertsANodeAroundWhichAllIsDeleted(Random random) throws IOException {
    float[][] vectors = Vectors.clustered(random, 2000, 24, 2, 0.2);
    Reuses reuses = new Reuses();
    BitSet live = new BitSet();
    live.set(0, vectors.length);
    BitSet around = new BitSet(); // neighbors of vector 0, and theirs
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer = new IndexWriter(directory, config(MAX_CONN, reuses))) {
        VectorIndex.add(writer, vectors, 0, vectors.length, SIMILARITY);
        try (DirectoryReader reader = DirectoryReader.open(writer)) {
          HnswGraph graph =
              VectorIndex.reader(reader.leaves().get(0).reader(), FIELD).getGraph(FIELD);
          for (int neighbor : neighbors(graph, 0)) {
            for (int id : neighbors(graph, neighbor)) {
              around.set(id);
            }
            around.set(neighbor);
          }
        }
        around.clear(0);
        for (int id = around.nextSetBit(0); id >= 0; id = around.nextSetBit(id + 1)) {
          delete(writer, live, id);
        }
        writer.forceMerge(1);
      }
      assertEquals(
          List.of(live.cardinality() - 1 + " of " + live.cardinality() + " nodes"),
          reuses.messages);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        var hits =
            new IndexSearcher(reader)
                .search(new KnnFloatVectorQuery(FIELD, vectors[0], 1), 1)
                .scoreDocs;
        assertEquals(0, VectorIndex.ids(reader, hits)[0]);
      }
    }
  }

  /** Neighbors of an ordinal, which is an id in a segment without deletes. */
  private static int[] neighbors(HnswGraph graph, int ord) throws IOException {
    graph.seek(0, ord);
    int[] neighbors = new int[graph.neighborCount()];
    for (int i = 0; i < neighbors.length; i++) {
      neighbors[i] = graph.nextNeighbor();
    }
    return neighbors;
  }
}
