package io.pq32.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;

/** Tries damaged segments: the golden ones are what it starts from. */
final class SegmentFuzzer implements AutoCloseable {
  /** One case in so many is merged too, which takes ten times as long. */
  private static final int MERGED = 64;

  private final List<Directory> directories = new ArrayList<>();
  private final List<SegmentVectors> segments = new ArrayList<>();
  private final List<CodesMeta.Arrangement> arrangements = new ArrayList<>(); // of segments
  private final SegmentMutator mutator = new SegmentMutator(segments);
  private final Directory scratch = new ByteBuffersDirectory();

  SegmentFuzzer() throws IOException {
    for (CodesMeta.Arrangement arrangement : CodesMeta.Arrangement.values()) {
      Directory golden = GoldenSegmentsTest.read(SegmentFile.VERSION_CURRENT, arrangement);
      directories.add(golden);
      for (int segment = 0; segment < 2; segment++) {
        SegmentVectors vectors = SegmentVectors.of(golden, segment, new Random(segment));
        vectors.warmUp();
        segments.add(vectors);
        arrangements.add(arrangement);
      }
    }
  }

  /** What came of a damage. */
  enum Outcome {
    NOT_OPENED,
    REFUSED_LATER,
    ANSWERED
  }

  /** Damages a segment and looks at it: throws what a reader must not throw. */
  Outcome run(RandomGenerator random) throws IOException {
    int chosen = random.nextInt(segments.size());
    SegmentVectors segment = segments.get(chosen);
    Map<String, byte[]> replaced = new HashMap<>();
    for (Map.Entry<SegmentFile, byte[]> file : mutator.mutate(segment, random).entrySet()) {
      replaced.put(segment.name(file.getKey()), file.getValue());
    }
    try (ReplacedFiles files = new ReplacedFiles(segment.directory(), scratch, replaced)) {
      if (random.nextInt(MERGED) == 0) {
        try (Directory copy = new ByteBuffersDirectory()) {
          files.copyTo(copy);
          CorruptionTest.merge(copy, arrangements.get(chosen));
        }
      }
      SegmentVectors.Look look = segment.glance(files);
      for (IOException e : look.complaints()) {
        if (!CorruptionTest.isRefusal(e)) {
          throw new AssertionError("not said to be corrupt", e);
        }
      }
      if (!look.opened()) {
        return Outcome.NOT_OPENED;
      }
      return look.isClean() ? Outcome.ANSWERED : Outcome.REFUSED_LATER;
    }
  }

  @Override
  public void close() throws IOException {
    scratch.close();
    for (Directory directory : directories) {
      directory.close();
    }
  }
}
