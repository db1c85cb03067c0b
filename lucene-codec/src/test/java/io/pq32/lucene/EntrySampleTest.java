package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.BruteForce;
import io.pq32.quantization.PqKernels;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(SeededRandom.class)
class EntrySampleTest {
  private static final int CODE_BYTES = 32;

  @Test
  void findsTheBestOnesBestFirst(Random random) {
    for (int count : new int[] {1, 5, 16, 64, 200}) {
      int blocks = Math.ceilDiv(count, PqKernels.BLOCK_SIZE);
      byte[] codes = new byte[blocks * PqKernels.BLOCK_SIZE * CODE_BYTES];
      random.nextBytes(codes);
      byte[] levels = new byte[CODE_BYTES * 256];
      for (int i = 0; i < levels.length; i++) {
        levels[i] = (byte) random.nextInt(PqKernels.MAX_LEVEL + 1);
      }
      short[] sums = new short[blocks * PqKernels.BLOCK_SIZE];
      int[] best = new int[16];
      int found =
          EntrySample.best(MemorySegment.ofArray(codes), count, CODE_BYTES, levels, sums, best);
      int[] expected = BruteForce.top(count, found, entry -> sums[entry]);
      assertEquals(Math.min(16, count), found);
      for (int i = 0; i < found; i++) {
        assertEquals(sums[expected[i]], sums[best[i]], "rank " + i);
      }
      assertEquals(found, Arrays.stream(best, 0, found).distinct().count());
    }
  }

  @Test
  void aWalkReachesAllTightClustersNearTheQuery(Random random) throws IOException {
    float[][] vectors = Vectors.clustered(random, 1200, 24, 10, 0.05);
    VectorSimilarityFunction similarity = VectorSimilarityFunction.EUCLIDEAN;
    int queries = 100;
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, Storage.GRAPH.format(), vectors, similarity);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        LeafReader leaf = reader.leaves().get(0).reader();
        QuantizedField field = VectorIndex.reader(leaf, FIELD).quantizedOrNull(FIELD);
        double recall = 0;
        for (float[] query : Vectors.gaussian(random, queries, 24)) {
          GraphWalk walk =
              new GraphWalk(
                  SearchPlan.Costs.MEASURED,
                  field.codes(),
                  field.graph(),
                  field.codes().tables().borrow(query),
                  new AcceptedOrds.All(1200),
                  100,
                  new TopKnnCollector(10, Integer.MAX_VALUE));
          int[] nearest = VectorIndex.nearest(vectors, query, 10, similarity, _ -> true);
          recall += BruteForce.recall(nearest, walk.next().ords()) / queries;
        }
        assertTrue(recall >= 0.99, "recall " + recall + " of candidates");
      }
    }
  }
}
