package io.pq32.lucene;

import static io.pq32.lucene.VectorIndex.FIELD;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.pq32.quantization.SeededRandom;
import io.pq32.quantization.Vectors;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexFileNames;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.util.FixedBitSet;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Damaged files: a clean exception or hits, never a crash, a hang or another exception. */
@ExtendWith(SeededRandom.class)
@Timeout(120)
class CorruptionTest {
  private static final int SIZE = 900;

  private static Directory write(Storage storage, Random random) throws IOException {
    Directory directory = new ByteBuffersDirectory();
    VectorIndex.write(
        directory,
        storage.format(),
        Vectors.gaussian(random, SIZE, 16),
        VectorSimilarityFunction.EUCLIDEAN);
    return directory;
  }

  private static List<String> files(Directory directory, String... extensions) throws IOException {
    List<String> names = new ArrayList<>();
    for (String name : directory.listAll()) {
      if (Arrays.asList(extensions).contains(IndexFileNames.getExtension(name))) {
        names.add(name);
      }
    }
    return names;
  }

  /** A copy of the index where one file has other bytes. */
  private static Directory damaged(Directory directory, String name, byte[] bytes)
      throws IOException {
    Directory copy = new ByteBuffersDirectory();
    for (String file : directory.listAll()) {
      if (!file.equals(name) && !file.equals("write.lock")) {
        copy.copyFrom(directory, file, file, IOContext.DEFAULT);
      }
    }
    try (IndexOutput out = copy.createOutput(name, IOContext.DEFAULT)) {
      out.writeBytes(bytes, bytes.length);
    }
    return copy;
  }

  private static byte[] bytes(Directory directory, String name) throws IOException {
    try (IndexInput in = directory.openInput(name, IOContext.READONCE)) {
      byte[] bytes = new byte[(int) in.length()];
      in.readBytes(bytes, 0, bytes.length);
      return bytes;
    }
  }

  private static void search(DirectoryReader reader, Random random) throws IOException {
    LeafReader leaf = reader.leaves().get(0).reader();
    FixedBitSet half = new FixedBitSet(SIZE);
    for (int doc = 0; doc < SIZE; doc += 2) {
      half.set(doc);
    }
    for (float[] query : Vectors.gaussian(random, 5, 16)) {
      for (FixedBitSet accepted : new FixedBitSet[] {null, half}) {
        TopKnnCollector collector = new TopKnnCollector(10, Integer.MAX_VALUE);
        leaf.searchNearestVectors(FIELD, query, collector, AcceptDocs.fromLiveDocs(accepted, SIZE));
        assertEquals(10, collector.topDocs().scoreDocs.length);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"CODES", "GRAPH"})
  void anyByteOfMetaDataIsChecked(Storage storage, Random random) throws IOException {
    try (Directory directory = write(storage, random)) {
      for (String name : files(directory, "vemq", "vem")) {
        byte[] bytes = bytes(directory, name);
        for (int i = 0; i < bytes.length; i++) {
          byte[] flipped = bytes.clone();
          flipped[i] ^= (byte) (1 << random.nextInt(8));
          try (Directory damaged = damaged(directory, name, flipped)) {
            int position = i;
            var e =
                assertThrows(
                    IOException.class,
                    () -> DirectoryReader.open(damaged).close(),
                    () -> name + " at " + position);
            assertTrue(e.toString().contains(name), e.toString());
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"CODES", "GRAPH", "WALK"})
  void damagedDataGivesHitsOrACleanException(Storage storage, Random random) throws IOException {
    try (Directory directory = write(storage, random)) {
      for (String name : files(directory, "veq", "vex")) {
        byte[] bytes = bytes(directory, name);
        int detected = 0;
        for (int round = 0; round < 150; round++) {
          byte[] flipped = bytes.clone();
          int damages = 1 + random.nextInt(round < 75 ? 1 : 200);
          for (int i = 0; i < damages; i++) {
            flipped[random.nextInt(flipped.length)] = (byte) random.nextInt(256);
          }
          try (Directory damaged = damaged(directory, name, flipped)) {
            try (DirectoryReader reader = DirectoryReader.open(damaged)) {
              search(reader, random);
            } catch (IOException e) {
              detected++;
            } catch (RuntimeException e) {
              fail(name + " with " + damages + " damages", e);
            }
            assertChecksumFinds(damaged, bytes, flipped);
          }
        }
        assertTrue(detected > 0 || name.endsWith("vex") && storage == Storage.CODES, name);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"GRAPH", "WALK"})
  void neighborListsThatRunBeyondTheEndAreCorrupt(Storage storage, Random random)
      throws IOException {
    try (Directory directory = write(storage, random)) {
      String name = files(directory, "vex").getFirst();
      byte[] bytes = bytes(directory, name);
      int end = bytes.length - CodecUtil.footerLength();
      int detected = 0;
      for (int value = 0; value < 256; value++) {
        byte[] damagedBytes = bytes.clone();
        Arrays.fill(damagedBytes, end - 400, end, (byte) value);
        try (Directory damaged = damaged(directory, name, damagedBytes);
            DirectoryReader reader = DirectoryReader.open(damaged)) {
          LeafReader leaf = reader.leaves().get(0).reader();
          for (int node = 0; node < SIZE; node++) {
            VectorIndex.reader(leaf, FIELD).getGraph(FIELD).seek(0, node);
          }
        } catch (CorruptIndexException e) {
          detected++;
        }
      }
      assertTrue(detected > 100, detected + " of 256");
    }
  }

  private static void assertChecksumFinds(Directory damaged, byte[] bytes, byte[] flipped)
      throws IOException {
    if (!Arrays.equals(bytes, flipped)) {
      try (DirectoryReader reader = DirectoryReader.open(damaged)) {
        Pq32VectorsReader vectors = VectorIndex.reader(reader.leaves().get(0).reader(), FIELD);
        assertThrows(CorruptIndexException.class, vectors::checkIntegrity);
      } catch (IOException _) {
        // found even earlier
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void shortenedAndLongerFilesAreRejected(Storage storage, Random random) throws IOException {
    try (Directory directory = write(storage, random)) {
      for (String name : files(directory, "vemq", "veq", "vem", "vex")) {
        byte[] bytes = bytes(directory, name);
        int[] lengths = {
          0, 1, 20, CodecUtil.footerLength(), bytes.length / 2, bytes.length - 1, bytes.length + 1
        };
        for (int length : lengths) {
          try (Directory damaged = damaged(directory, name, Arrays.copyOf(bytes, length))) {
            assertThrows(
                IOException.class,
                () -> DirectoryReader.open(damaged).close(),
                () -> name + " of " + length);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Storage.class)
  void filesOfAnotherSegmentAreRejected(Storage storage, Random random) throws IOException {
    try (Directory directory = write(storage, random);
        Directory other = write(storage, random)) {
      for (String name : files(directory, "vemq", "veq", "vem", "vex")) {
        try (Directory mixed = damaged(directory, name, bytes(other, name))) {
          assertThrows(
              CorruptIndexException.class, () -> DirectoryReader.open(mixed).close(), name);
        }
      }
    }
  }
}
