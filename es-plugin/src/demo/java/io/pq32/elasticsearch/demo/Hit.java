package io.pq32.elasticsearch.demo;

/** A document in an answer, and how well it scored. */
record Hit(String id, double score) {}
