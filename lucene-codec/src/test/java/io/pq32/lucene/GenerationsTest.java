package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static io.pq32.lucene.VectorIndex.ID;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.Effort;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.document.IntField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.util.hnsw.HnswGraph;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * After fifty rounds of deleting 2 %, each merged into the one large segment there is, an index
 * finds as much as a new one of the same documents.
 *
 * <p>Rounds that delete little are what wears a graph out that merges hand on: each takes a few
 * links of a node, none so many that the node would look for others (Lucene issue 16552).
 */
@ExtendWith(SeededRandom.class)
class GenerationsTest {
  private static final VectorSimilarityFunction SIMILARITY = VectorSimilarityFunction.EUCLIDEAN;
  private static final int SIZE = Effort.of(2000, 20_000);
  private static final int QUERIES = Effort.of(200, 500);
  private static final int DIMENSION = 64;
  private static final int ROUNDS = 50;
  private static final double SHARE = 0.02;
  private static final int K = 10;
  private static final double MOST_LOST = 0.01;

  /** What comes instead of the vectors deleted. */
  enum Renewal {
    /** As many others. */
    ALL,
    /** Nothing: at the end, .36 of the vectors are left. */
    NONE
  }

  /** An index with its vectors, and others to query with. */
  private static final class Lived implements AutoCloseable {
    final Directory directory = new ByteBuffersDirectory();
    final Supplier<KnnVectorsFormat> format;
    final float[][] vectors; // by id
    final float[][] queries;
    final BitSet live = new BitSet(); // ids

    Lived(Supplier<KnnVectorsFormat> format, Renewal renewal, Random random) throws IOException {
      this.format = format;
      int renewed = renewal == Renewal.ALL ? (int) (SIZE * SHARE) : 0;
      int size = SIZE + ROUNDS * renewed;
      float[][] all = vectors(random, size + QUERIES);
      vectors = Arrays.copyOf(all, size);
      queries = Arrays.copyOfRange(all, size, all.length);
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.mergingConfig(format.get()))) {
        add(writer, 0, SIZE);
        writer.flush();
        for (int round = 0; round < ROUNDS; round++) {
          int end = SIZE + round * renewed;
          for (int left = (int) (live.cardinality() * SHARE); left > 0; left--) {
            int id = live.nextSetBit(random.nextInt(end));
            if (id < 0) {
              id = live.nextSetBit(0);
            }
            writer.deleteDocuments(IntField.newExactQuery(ID, id));
            live.clear(id);
          }
          add(writer, end, end + renewed);
          writer.forceMerge(1);
        }
      }
    }

    /** Clusters whose spread falls from direction to direction. */
    private static float[][] vectors(Random random, int count) {
      float[][] vectors = Vectors.anisotropic(random, count, DIMENSION);
      float[][] centers = Vectors.clustered(random, count, DIMENSION, 50, 0);
      for (int i = 0; i < count; i++) {
        for (int d = 0; d < DIMENSION; d++) {
          vectors[i][d] += 0.3f * centers[i][d];
        }
      }
      return vectors;
    }

    private void add(IndexWriter writer, int from, int to) throws IOException {
      VectorIndex.add(writer, vectors, from, to, SIMILARITY);
      live.set(from, to);
    }

    /** A new index of the same documents. */
    Directory fresh() throws IOException {
      Directory fresh = new ByteBuffersDirectory();
      try (IndexWriter writer = new IndexWriter(fresh, VectorIndex.writerConfig(format.get()))) {
        for (int id = live.nextSetBit(0); id >= 0; id = live.nextSetBit(id + 1)) {
          VectorIndex.add(writer, vectors, id, id + 1, SIMILARITY);
        }
      }
      return fresh;
    }

    double recall(DirectoryReader reader) throws IOException {
      assertEquals(1, reader.leaves().size());
      assertEquals(live.cardinality(), reader.maxDoc());
      IndexSearcher searcher = new IndexSearcher(reader);
      double recall = 0;
      for (float[] query : queries) {
        var hits = searcher.search(new KnnFloatVectorQuery(FIELD, query, K), K).scoreDocs;
        int[] nearest = VectorIndex.nearest(vectors, query, K, SIMILARITY, live::get);
        recall += BruteForce.recall(nearest, VectorIndex.ids(reader, hits)) / queries.length;
      }
      return recall;
    }

    @Override
    public void close() throws IOException {
      directory.close();
    }
  }

  static Stream<Arguments> storagesAndRenewals() {
    return Stream.of(Storage.CODES, Storage.WALK)
        .flatMap(s -> Arrays.stream(Renewal.values()).map(r -> Arguments.of(s, r)));
  }

  @ParameterizedTest
  @MethodSource("storagesAndRenewals")
  void recallIsThatOfANewIndex(Storage storage, Renewal renewal, Random random) throws IOException {
    try (Lived lived = new Lived(storage::format, renewal, random);
        DirectoryReader reader = DirectoryReader.open(lived.directory);
        Directory fresh = lived.fresh();
        DirectoryReader freshReader = DirectoryReader.open(fresh)) {
      double recall = lived.recall(reader);
      double freshRecall = lived.recall(freshReader);
      assertTrue(recall >= freshRecall - MOST_LOST, recall + "; new: " + freshRecall);
      if (storage == Storage.WALK) {
        double degree = degree(reader);
        double freshDegree = degree(freshReader);
        assertTrue(degree >= 0.9 * freshDegree, degree + " links a node; new: " + freshDegree);
      }
    }
  }

  private static double degree(DirectoryReader reader) throws IOException {
    HnswGraph graph = VectorIndex.reader(reader.leaves().get(0).reader(), FIELD).getGraph(FIELD);
    long links = 0;
    for (int node = 0; node < graph.size(); node++) {
      graph.seek(0, node);
      links += graph.neighborCount();
    }
    return (double) links / graph.size();
  }

  /** Were this not so, the rounds would prove little for ours. */
  @ParameterizedTest
  @EnumSource(Renewal.class)
  void luceneLosesRecallByTheSameRounds(Renewal renewal, Random random) throws IOException {
    try (Lived lived = new Lived(() -> new Lucene99HnswVectorsFormat(16, 100), renewal, random);
        DirectoryReader reader = DirectoryReader.open(lived.directory);
        Directory fresh = lived.fresh();
        DirectoryReader freshReader = DirectoryReader.open(fresh)) {
      double recall = lived.recall(reader);
      double freshRecall = lived.recall(freshReader);
      assertTrue(recall < freshRecall - MOST_LOST, recall + "; new: " + freshRecall);
    }
  }
}
