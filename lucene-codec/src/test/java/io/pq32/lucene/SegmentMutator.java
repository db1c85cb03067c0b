package io.pq32.lucene;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.apache.lucene.store.ByteArrayDataInput;
import org.apache.lucene.store.ByteBuffersDataOutput;
import org.apache.lucene.store.DataOutput;

/**
 * Damages files the way only somebody who knows them would: numbers of meta files get values that
 * programs stumble over, entries are dropped, doubled and exchanged, every part of a data file is
 * hit as often as every other, whatever its length, and checksums are right most of the time.
 */
final class SegmentMutator {
  private static final long[] INTERESTING = {
    0,
    1,
    2,
    15,
    16,
    31,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    1 << 15,
    1 << 16,
    1 << 24,
    1 << 30,
    Integer.MAX_VALUE - 1,
    Integer.MAX_VALUE,
    1L << 31,
    0xFFFFFFFFL,
    1L << 32,
    1L << 40,
    1L << 61,
    Long.MAX_VALUE - 64,
    Long.MAX_VALUE,
    -1,
    -2,
    Integer.MIN_VALUE,
    Long.MIN_VALUE
  };

  private static final int MOST_MUTATIONS = 4;

  private final List<SegmentVectors> segments;

  /**
   * @param segments to damage, and to take from
   */
  SegmentMutator(List<SegmentVectors> segments) {
    this.segments = segments;
  }

  /** How a number is written. */
  private enum Type {
    BYTE,
    INT,
    VINT,
    VLONG,
    ID
  }

  /**
   * A number of a meta file.
   *
   * @param id where it is one
   */
  private record Token(Type type, long value, byte[] id) {
    Token(Type type, long value) {
      this(type, value, null);
    }

    Token with(long other) {
      return type == Type.ID ? this : new Token(type, other);
    }

    void write(DataOutput out) throws IOException {
      switch (type) {
        case BYTE -> out.writeByte((byte) value);
        case INT -> out.writeInt((int) value);
        case VINT, VLONG -> { // any 64 bits, which Lucene would refuse to write
          long left = value;
          for (; (left & ~0x7FL) != 0; left >>>= 7) {
            out.writeByte((byte) (left | 0x80));
          }
          out.writeByte((byte) left);
        }
        case ID -> out.writeBytes(id, id.length);
      }
    }
  }

  /** The damaged files of a segment. */
  Map<SegmentFile, byte[]> mutate(SegmentVectors segment, RandomGenerator random)
      throws IOException {
    Map<SegmentFile, byte[]> damaged = new EnumMap<>(SegmentFile.class);
    SegmentFile[] files = SegmentFile.values();
    int count = 1 + random.nextInt(2);
    for (int i = 0; i < count; i++) {
      SegmentFile file = files[random.nextInt(files.length)];
      if (!damaged.containsKey(file)) {
        byte[] body =
            switch (file) {
              case CODES_META, GRAPH_META -> meta(segment, file, random);
              case CODES, GRAPH -> data(segment, file, random);
            };
        byte[] bytes = segment.bytes(file);
        byte[] mutated = ReplacedFiles.withBody(bytes, segment.headerLength(file), body);
        if (random.nextInt(32) == 0) {
          mutated[random.nextInt(mutated.length)] ^= (byte) (1 << random.nextInt(8));
        }
        damaged.put(file, mutated);
      }
    }
    return damaged;
  }

  private byte[] meta(SegmentVectors segment, SegmentFile file, RandomGenerator random)
      throws IOException {
    List<List<Token>> entries = parse(file, segment.body(file));
    int mutations = 1 + random.nextInt(MOST_MUTATIONS);
    for (int i = 0; i < mutations; i++) {
      List<Token> entry = entries.get(random.nextInt(entries.size()));
      int at = entry.isEmpty() ? 0 : random.nextInt(entry.size());
      int kind = random.nextInt(10);
      if (kind == 0) {
        List<List<Token>> others =
            parse(file, segments.get(random.nextInt(segments.size())).body(file));
        entries.add(random.nextInt(entries.size() + 1), others.get(random.nextInt(others.size())));
      } else if (kind == 1) {
        Collections.swap(entries, random.nextInt(entries.size()), random.nextInt(entries.size()));
      } else if (kind == 2 && entries.size() > 1) {
        entries.remove(entry);
      } else if (kind == 3 && !entry.isEmpty()) {
        entry.remove(at);
      } else if (!entry.isEmpty()) {
        entry.set(at, entry.get(at).with(number(entry.get(at).value(), random)));
      }
    }
    ByteBuffersDataOutput out = new ByteBuffersDataOutput();
    for (List<Token> entry : entries) {
      for (Token token : entry) {
        token.write(out);
      }
    }
    byte[] body = out.toArrayCopy();
    return random.nextInt(16) == 0 ? bytes(body, random) : body;
  }

  private static long number(long value, RandomGenerator random) {
    return switch (random.nextInt(5)) {
      case 0 -> value + 1 + random.nextInt(3);
      case 1 -> value - 1 - random.nextInt(3);
      case 2 -> value ^ 1L << random.nextInt(40);
      case 3 -> value * 2;
      default -> INTERESTING[random.nextInt(INTERESTING.length)];
    };
  }

  /** Entries of a good meta file, the end among them. */
  private static List<List<Token>> parse(SegmentFile file, byte[] body) {
    ByteArrayDataInput in = new ByteArrayDataInput(body);
    List<List<Token>> entries = new ArrayList<>();
    while (!in.eof()) {
      List<Token> entry = new ArrayList<>();
      int field = in.readInt();
      entry.add(new Token(Type.INT, field));
      if (field >= 0 && file == SegmentFile.CODES_META) {
        int kind = in.readByte();
        entry.add(new Token(Type.BYTE, kind));
        if (kind == CodesMeta.Codes.KIND) {
          entry.add(new Token(Type.BYTE, in.readByte()));
          entry.add(new Token(Type.VINT, in.readVInt()));
          entry.add(new Token(Type.BYTE, in.readByte()));
          entry.add(new Token(Type.VINT, in.readVInt()));
          entry.add(new Token(Type.BYTE, in.readByte()));
          byte[] id = new byte[16];
          in.readBytes(id, 0, id.length);
          entry.add(new Token(Type.ID, 0, id));
          entry.add(new Token(Type.INT, in.readInt()));
          entry.add(new Token(Type.VLONG, in.readVLong()));
          entry.add(new Token(Type.VLONG, in.readVLong()));
          int outliers = in.readVInt();
          entry.add(new Token(Type.VINT, outliers));
          for (int i = 0; i < outliers; i++) {
            entry.add(new Token(Type.VINT, in.readVInt()));
          }
        }
      } else if (field >= 0) {
        for (int i = 0; i < 4; i++) {
          entry.add(new Token(Type.VINT, in.readVInt()));
        }
        entry.add(new Token(Type.VLONG, in.readVLong()));
        entry.add(new Token(Type.VINT, in.readVInt()));
        entry.add(new Token(Type.VLONG, in.readVLong()));
      }
      entries.add(entry);
    }
    return entries;
  }

  private byte[] data(SegmentVectors segment, SegmentFile file, RandomGenerator random)
      throws IOException {
    byte[] body = segment.body(file);
    List<long[]> parts = parts(segment, file);
    if (random.nextInt(16) == 0) {
      return segments.get(random.nextInt(segments.size())).body(file);
    }
    int mutations = 1 + random.nextInt(MOST_MUTATIONS);
    for (int i = 0; i < mutations && !parts.isEmpty(); i++) {
      long[] part = parts.get(random.nextInt(parts.size()));
      int start = (int) part[0];
      int length = (int) part[1];
      int at = start + random.nextInt(length);
      int most = start + length - at;
      switch (random.nextInt(8)) {
        case 0 -> Arrays.fill(body, at, at + 1 + random.nextInt(most), (byte) 0);
        case 1 -> Arrays.fill(body, at, at + 1 + random.nextInt(most), (byte) -1);
        case 2 -> {
          byte[] noise = new byte[1 + random.nextInt(Math.min(most, 64))];
          random.nextBytes(noise);
          System.arraycopy(noise, 0, body, at, noise.length);
        }
        case 3 -> { // what is there, elsewhere
          int from = start + random.nextInt(length);
          int count = Math.min(1 + random.nextInt(256), start + length - Math.max(at, from));
          System.arraycopy(body, from, body, at, count);
        }
        case 4 -> {
          long value = INTERESTING[random.nextInt(INTERESTING.length)];
          for (int j = 0; j < Math.min(most, Long.BYTES); j++) {
            body[at + j] = (byte) (value >>> Byte.SIZE * j);
          }
        }
        default -> body[at] ^= (byte) (1 << random.nextInt(8));
      }
    }
    return random.nextInt(16) == 0 ? bytes(body, random) : body;
  }

  /** Start and length of the parts of a data file, from the end of its header on. */
  private static List<long[]> parts(SegmentVectors segment, SegmentFile file) throws IOException {
    List<long[]> parts = new ArrayList<>();
    try (Pq32VectorsReader reader = segment.open(segment.directory(), SearchPlan.Costs.MEASURED)) {
      for (SampleIndex.FloatField field : SampleIndex.FIELDS) {
        QuantizedField codes = reader.quantizedOrNull(field.name());
        if (codes != null && file == SegmentFile.CODES) {
          CodesMeta.Codes meta = codes.codes().meta();
          add(parts, meta.codebookOffset(), 0, meta.codebookLength());
          if (codes.graph() == null) {
            BlocksLayout blocks = meta.blocks();
            add(
                parts,
                meta.codesOffset(),
                0,
                blocks.heads(),
                blocks.spreadsOffset(),
                blocks.ords(),
                blocks.blocksOfOrds(),
                blocks.length());
          } else {
            add(parts, meta.codesOffset(), 0, meta.codesLength());
          }
        } else if (codes != null && codes.graph() != null) {
          GraphMeta meta = codes.graph().meta();
          add(
              parts,
              meta.offset(),
              0,
              meta.nodeToOrd(),
              meta.ordToNode(),
              meta.listGroupPositions(),
              meta.listOffsets(),
              meta.lists(),
              meta.length());
        }
      }
    }
    for (long[] part : parts) {
      part[0] -= segment.headerLength(file);
    }
    return parts;
  }

  private static void add(List<long[]> parts, long offset, long... borders) {
    for (int i = 1; i < borders.length; i++) {
      if (borders[i] > borders[i - 1]) {
        parts.add(new long[] {offset + borders[i - 1], borders[i] - borders[i - 1]});
      }
    }
  }

  /** Bytes cut out, put in, or cut off, whatever they mean. */
  private static byte[] bytes(byte[] body, RandomGenerator random) {
    int at = random.nextInt(body.length + 1);
    int count = random.nextInt(Math.min(body.length - at, 100) + 1);
    return switch (random.nextInt(3)) {
      case 0 -> Arrays.copyOf(body, at);
      case 1 -> {
        byte[] shorter = Arrays.copyOf(body, body.length - count);
        System.arraycopy(body, at + count, shorter, at, body.length - at - count);
        yield shorter;
      }
      default -> {
        byte[] longer = Arrays.copyOf(body, body.length + count);
        System.arraycopy(body, at, longer, at + count, body.length - at);
        yield longer;
      }
    };
  }
}
