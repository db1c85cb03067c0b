package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.PqKernels;
import io.pq32.quantization.PqLayout;
import io.pq32.quantization.ProductQuantizer;
import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnByteVectorField;
import org.apache.lucene.index.CodecReader;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexFileNames;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.store.NIOFSDirectory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The files of a segment, and what the reader says of them. */
@ExtendWith(SeededRandom.class)
class FilesTest {
  private static final VectorSimilarityFunction SIMILARITY =
      VectorSimilarityFunction.MAXIMUM_INNER_PRODUCT;

  /** Vector extensions that Elasticsearch knows; the data files among them are mapped. */
  private static final Set<String> KNOWN = Set.of("vec", "vemf", "veq", "vemq", "vex", "vem");

  private static void writeTwoSegmentsAndMerge(
      Directory directory, Storage storage, float[][] vectors) throws IOException {
    try (IndexWriter writer =
        new IndexWriter(directory, VectorIndex.mergingConfig(storage.format()))) {
      VectorIndex.add(writer, vectors, 0, vectors.length / 2, SIMILARITY);
      writer.flush();
      VectorIndex.add(writer, vectors, vectors.length / 2, vectors.length, SIMILARITY);
      writer.forceMerge(1);
      VectorIndex.add(writer, vectors, 0, vectors.length / 3, SIMILARITY);
    }
  }

  /** Contents of the vector files, without headers and footers: these hold the segment's id. */
  private static Map<String, byte[]> contents(Directory directory) throws IOException {
    Map<String, byte[]> contents = new TreeMap<>();
    for (String name : directory.listAll()) {
      String extension = IndexFileNames.getExtension(name);
      if (extension != null && KNOWN.contains(extension)) {
        try (IndexInput in = directory.openInput(name, IOContext.READONCE)) {
          in.seek(CodecUtil.readIndexHeader(in).length);
          byte[] bytes =
              new byte[(int) (in.length() - in.getFilePointer() - CodecUtil.footerLength())];
          in.readBytes(bytes, 0, bytes.length);
          contents.put(name, bytes);
        }
      }
    }
    return contents;
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void theSameInputGivesTheSameFiles(Storage storage, Random random, @TempDir Path folder)
      throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 1200, 40);
    try (Directory one = new ByteBuffersDirectory();
        Directory two = new ByteBuffersDirectory();
        Directory mapped = new MMapDirectory(folder)) {
      for (Directory directory : new Directory[] {one, two, mapped}) {
        writeTwoSegmentsAndMerge(directory, storage, vectors);
      }
      Map<String, byte[]> expected = contents(one);
      assertEquals(12, expected.size(), "six files for each of two segments");
      for (Directory directory : new Directory[] {two, mapped}) {
        Map<String, byte[]> actual = contents(directory);
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, bytes) -> assertArrayEquals(bytes, actual.get(name), name));
      }
    }
  }

  /** Where another hash, clock or thread would show that decides nothing in this one. */
  @Test
  void anotherProcessWritesTheSameFiles(@TempDir Path folder) throws Exception {
    Path other = folder.resolve("other");
    Process child =
        ChildJvm.start(
            FilesTest.class,
            List.of(
                "--add-modules",
                "jdk.incubator.vector",
                "-Dpq32.kernels=" + PqKernels.instance().name()),
            other.toString());
    assertEquals(0, child.waitFor(), "see what the child wrote above");
    try (Directory own = new ByteBuffersDirectory();
        Directory others = new MMapDirectory(other)) {
      writeTwoSegmentsAndMerge(own, Storage.GRAPH, sameInEveryProcess());
      Map<String, byte[]> actual = contents(others);
      contents(own).forEach((name, bytes) -> assertArrayEquals(bytes, actual.get(name), name));
    }
  }

  /** The child of that test. Takes the folder to write to. */
  public static void main(String[] args) throws IOException {
    try (Directory directory = new MMapDirectory(Path.of(args[0]))) {
      writeTwoSegmentsAndMerge(directory, Storage.GRAPH, sameInEveryProcess());
    }
  }

  private static float[][] sameInEveryProcess() {
    return Vectors.anisotropic(new Random(32), 600, 24);
  }

  /** Remembers which files are created, and which others are touched. */
  private static final class Touches extends FilterDirectory {
    final Set<String> created = new TreeSet<>();
    final Set<String> others = new TreeSet<>();

    Touches(Directory in) {
      super(in);
    }

    private void touch(String name) {
      if (!created.contains(name)) {
        others.add(name);
      }
    }

    @Override
    public IndexOutput createOutput(String name, IOContext context) throws IOException {
      created.add(name);
      return in.createOutput(name, context);
    }

    @Override
    public IndexOutput createTempOutput(String prefix, String suffix, IOContext context)
        throws IOException {
      IndexOutput out = in.createTempOutput(prefix, suffix, context);
      created.add(out.getName()); // of Lucene's: none of ours has an extension like that
      return out;
    }

    @Override
    public void rename(String source, String destination) throws IOException {
      touch(source);
      created.add(destination);
      in.rename(source, destination);
    }

    @Override
    public IndexInput openInput(String name, IOContext context) throws IOException {
      touch(name);
      return in.openInput(name, context);
    }

    @Override
    public void deleteFile(String name) throws IOException {
      touch(name);
      in.deleteFile(name);
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void touchesNoFilesButThoseOfItsSegments(Storage storage, Random random, @TempDir Path folder)
      throws IOException {
    float[][] vectors = Vectors.anisotropic(random, 900, 24);
    Path index = folder.resolve("index");
    try (Touches directory = new Touches(new MMapDirectory(index))) {
      writeTwoSegmentsAndMerge(directory, storage, vectors);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        KnnFloatVectorQuery query = new KnnFloatVectorQuery(FIELD, vectors[0], 10);
        assertEquals(10, new IndexSearcher(reader).search(query, 10).scoreDocs.length);
      }
      Set<String> ours = new TreeSet<>(directory.created);
      ours.removeIf(name -> !name.contains(storage.format().getName()));
      assertEquals(4 * KNOWN.size(), ours.size(), "two flushed, one merged, one beside it");
      for (String name : ours) {
        assertTrue(name.matches("_[0-3]_\\w+_0\\.\\w+"), name);
        assertTrue(KNOWN.contains(IndexFileNames.getExtension(name)), name);
      }
      assertEquals(Set.of(), directory.others);
    }
    try (Stream<Path> paths = Files.list(folder)) {
      assertEquals(List.of(index), paths.toList());
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void usesExtensionsThatElasticsearchMaps(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 300, 8);
    try (Directory directory = new ByteBuffersDirectory()) {
      try (IndexWriter writer =
          new IndexWriter(directory, VectorIndex.writerConfig(storage.format()))) {
        for (int id = 0; id < vectors.length; id++) {
          Document document = VectorIndex.document(id, vectors[id], SIMILARITY);
          document.add(new KnnByteVectorField("bytes", new byte[] {(byte) id, 1}));
          writer.addDocument(document);
        }
      }
      int ours = 0;
      for (String name : directory.listAll()) {
        if (name.contains(storage.format().getName())) { // the suffix of a format's files
          assertTrue(KNOWN.contains(IndexFileNames.getExtension(name)), name);
          ours++;
        }
      }
      assertEquals(6 + 4, ours, "with those of the byte vectors");
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void saysHowManyBytesAreOffTheHeap(Storage storage, Random random) throws IOException {
    int count = 700;
    float[][] vectors = Vectors.gaussian(random, count, 40);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        CodecReader leaf = (CodecReader) reader.leaves().get(0).reader();
        Map<String, Long> sizes =
            leaf.getVectorReader().getOffHeapByteSize(leaf.getFieldInfos().fieldInfo(FIELD));
        assertEquals(count * 40L * Float.BYTES, sizes.get("vec"));
        long codebook = ProductQuantizer.byteSize(PqLayout.pq32(40));
        switch (storage) {
          case FLOATS -> assertEquals(Set.of("vec"), sizes.keySet());
          case CODES -> {
            assertEquals(Set.of("vec", "veq"), sizes.keySet());
            // Codes and heads in whole blocks of 64, 11 spreads, ordinals of 10 bits, blocks of 4
            // bits, padding.
            assertEquals(
                codebook + (704 + 64) * 32 + 11 * 4 + (875 + 7) + (350 + 7), sizes.get("veq"));
          }
          case GRAPH, WALK -> {
            assertEquals(Set.of("vec", "veq", "vex"), sizes.keySet());
            assertEquals(codebook + count * 32, sizes.get("veq"));
            long file = length(directory, "vex");
            assertTrue(sizes.get("vex") <= file && sizes.get("vex") > file - 200, "of " + file);
          }
        }
      }
    }
  }

  private static long length(Directory directory, String extension) throws IOException {
    long length = 0;
    for (String name : directory.listAll()) {
      if (extension.equals(IndexFileNames.getExtension(name))) {
        length += directory.fileLength(name);
      }
    }
    return length;
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aClosedReaderSaysSo(Storage storage, Random random, @TempDir Path folder)
      throws IOException {
    float[][] vectors = Vectors.gaussian(random, 1000, 16);
    try (Directory mapped = new MMapDirectory(folder.resolve("mapped"));
        Directory channels = new NIOFSDirectory(folder.resolve("channels"))) {
      assertSaysClosed(mapped, AlreadyClosedException.class, storage, vectors);
      // Lucene reads floats from a closed channel, and that says so in its own way.
      assertSaysClosed(channels, IOException.class, storage, vectors);
    }
  }

  private static void assertSaysClosed(
      Directory directory, Class<? extends Exception> type, Storage storage, float[][] vectors)
      throws IOException {
    VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
    DirectoryReader reader = DirectoryReader.open(directory);
    LeafReader leaf = reader.leaves().get(0).reader();
    Pq32VectorsReader closed = VectorIndex.reader(leaf, FIELD);
    search(closed, leaf, vectors[0], new TopKnnCollector(5, Integer.MAX_VALUE));
    reader.close();
    for (int i = 0; i < 2; i++) {
      assertThrows(
          type, () -> search(closed, leaf, vectors[0], new TopKnnCollector(5, Integer.MAX_VALUE)));
      closed.close(); // a second time does no harm
    }
  }

  private static void search(
      Pq32VectorsReader vectors, LeafReader leaf, float[] query, KnnCollector collector)
      throws IOException {
    vectors.search(FIELD, query, collector, AcceptDocs.fromLiveDocs(null, leaf.maxDoc()));
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void aReaderClosedDuringASearchSaysSo(Storage storage, Random random, @TempDir Path folder)
      throws IOException {
    float[][] vectors = Vectors.gaussian(random, 6000, 16);
    try (Directory directory = new MMapDirectory(folder)) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      for (int visits : new int[] {0, 1}) {
        DirectoryReader reader = DirectoryReader.open(directory);
        LeafReader leaf = reader.leaves().get(0).reader();
        Pq32VectorsReader closing = VectorIndex.reader(leaf, FIELD);
        int[] heard = new int[1];
        // Looked at several times during a search; at one of them the files are closed.
        KnnCollector collector =
            new KnnCollector.Decorator(new TopKnnCollector(1000, Integer.MAX_VALUE)) {
              @Override
              public void incVisitedCount(int count) {
                super.incVisitedCount(count);
                if (heard[0]++ == visits) {
                  try {
                    reader.close();
                  } catch (IOException e) {
                    throw new AssertionError(e);
                  }
                }
              }
            };
        assertThrows(
            AlreadyClosedException.class,
            () -> search(closing, leaf, vectors[0], collector),
            "after " + visits + " visits");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void checksumsCoverEveryFile(Storage storage, Random random) throws IOException {
    float[][] vectors = Vectors.gaussian(random, 500, 16);
    try (Directory directory = new ByteBuffersDirectory()) {
      VectorIndex.write(directory, storage.format(), vectors, SIMILARITY);
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        VectorIndex.reader(reader.leaves().get(0).reader(), FIELD).checkIntegrity();
      }
      assertEquals(6, contents(directory).size(), Arrays.toString(directory.listAll()));
    }
  }
}
