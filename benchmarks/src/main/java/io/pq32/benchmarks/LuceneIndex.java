package io.pq32.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexFileNames;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.SegmentReader;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.MMapDirectory;

/** An index of Lucene opened for searching, and what its vectors weigh. */
final class LuceneIndex implements SearchableIndex {
  /** The field of vectors in every index. */
  static final String FIELD = "vector";

  /** Field that keeps the id of a vector through merges. */
  static final String ID_FIELD = "id";

  /** Extensions of files with codes that stand in for the raw vectors of {@code vec}. */
  private static final String[] CODE_EXTENSIONS = {"veq", "veb"};

  private static final String RAW_EXTENSION = "vec";

  private final Directory directory;
  private final DirectoryReader reader;
  private final IndexSearcher searcher;
  private final IndexSearcher filtering;
  private final LuceneEngine engine;
  private final int[] ids; // [document]

  /** Opens the index as anyone would, its formats found by service name. */
  LuceneIndex(Path folder, LuceneEngine engine) throws IOException {
    this.engine = engine;
    directory = new MMapDirectory(folder);
    DirectoryReader opened = null;
    try {
      opened = DirectoryReader.open(directory);
      reader = opened;
      ids = ids(reader);
    } catch (Throwable t) {
      if (opened != null) {
        opened.close();
      }
      directory.close();
      throw t;
    }
    searcher = new IndexSearcher(reader);
    // Candidates to rescore are asked for without scores, which makes them cacheable: with all
    // queries distinct that is work for nothing, and only Lucene's formats would have it.
    searcher.setQueryCache(null);
    filtering = new IndexSearcher(reader);
  }

  private static int[] ids(DirectoryReader reader) throws IOException {
    int[] ids = new int[reader.maxDoc()];
    for (LeafReaderContext leaf : reader.leaves()) {
      NumericDocValues values = leaf.reader().getNumericDocValues(ID_FIELD);
      while (values.nextDoc() != NumericDocValues.NO_MORE_DOCS) {
        ids[leaf.docBase + values.docID()] = (int) values.longValue();
      }
    }
    return ids;
  }

  @Override
  public int[] search(float[] query, int fanOut, int k) throws IOException {
    return search(query, fanOut, OptionalDouble.empty(), k);
  }

  /** Base ids of the best k of {@code fanOut} candidates at a tolerance of pq32, best first. */
  int[] search(float[] query, int fanOut, OptionalDouble tolerance, int k) throws IOException {
    return ids(engine.search(searcher, query, fanOut, tolerance, k));
  }

  /**
   * Base ids of the best k of {@code fanOut} candidates that pass a filter, best first. Lucene's
   * cache of filters is left on, as users have it.
   */
  int[] search(float[] query, int fanOut, OptionalDouble tolerance, int k, Query filter)
      throws IOException {
    return ids(engine.search(filtering, searcher, query, fanOut, tolerance, k, filter));
  }

  /** The best of {@code count} candidates with their scores, base ids in place of documents. */
  ScoreDoc[] ranking(float[] query, int count) throws IOException {
    return byId(engine.search(searcher, query, count, OptionalDouble.empty(), count));
  }

  /** The best of any query with their scores, base ids in place of documents. */
  ScoreDoc[] ranking(Query query, int count) throws IOException {
    return byId(searcher.search(query, count).scoreDocs);
  }

  private ScoreDoc[] byId(ScoreDoc[] found) {
    return Arrays.stream(found)
        .map(hit -> new ScoreDoc(ids[hit.doc], hit.score))
        .toArray(ScoreDoc[]::new);
  }

  /** How many documents match. */
  int count(Query query) throws IOException {
    return searcher.count(query);
  }

  private int[] ids(ScoreDoc[] found) {
    int[] hits = new int[found.length];
    for (int rank = 0; rank < hits.length; rank++) {
      hits[rank] = ids[found[rank].doc];
    }
    return hits;
  }

  @Override
  public int segments() {
    return reader.leaves().size();
  }

  /** Bytes of the vector files, by extension. */
  @Override
  public Map<String, Long> bytes() throws IOException {
    Map<String, Long> bytes = new TreeMap<>();
    for (LeafReaderContext leaf : reader.leaves()) {
      fileBytes((SegmentReader) leaf.reader())
          .forEach((extension, size) -> bytes.merge(extension, size, Long::sum));
    }
    return bytes;
  }

  /**
   * Bytes of the vector files that a search works on: all but the raw vectors, and those too in
   * segments where no codes stand in for them.
   */
  @Override
  public long hotBytes() throws IOException {
    long hot = 0;
    for (LeafReaderContext leaf : reader.leaves()) {
      SegmentReader segment = (SegmentReader) leaf.reader();
      Map<String, Long> bytes = fileBytes(segment);
      hot += bytes.values().stream().mapToLong(Long::longValue).sum();
      if (hasCodes(segment)) {
        hot -= bytes.getOrDefault(RAW_EXTENSION, 0L);
      }
    }
    return hot;
  }

  private static boolean hasCodes(SegmentReader segment) {
    KnnVectorsReader vectors = segment.getVectorReader();
    Map<String, Long> mapped = vectors.getOffHeapByteSize(segment.getFieldInfos().fieldInfo(FIELD));
    for (String extension : CODE_EXTENSIONS) {
      if (mapped.getOrDefault(extension, 0L) > 0) {
        return true;
      }
    }
    return false;
  }

  private static Map<String, Long> fileBytes(SegmentReader segment) throws IOException {
    Map<String, Long> bytes = new TreeMap<>();
    for (String file : segment.getSegmentInfo().files()) {
      String extension = IndexFileNames.getExtension(file);
      if (extension != null && extension.startsWith("ve")) {
        bytes.merge(extension, segment.directory().fileLength(file), Long::sum);
      }
    }
    return bytes;
  }

  @Override
  public void close() throws IOException {
    reader.close();
    directory.close();
  }
}
