"""What people read of a project's codes: plain words, no praise, no judgement (design: field.md §8)."""

from app.features.projects.vocabulary import Answer, Feeling, GoalKind, Origin, Party, ProjectStatus, Step

STEPS: dict[Step, str] = {
    Step.NOT_STARTED: "Pas commencé",
    Step.STARTING: "Ça démarre",
    Step.MOVING: "Ça avance",
    Step.ALMOST: "Presque",
    Step.DONE: "C'est fait",
    Step.STILL_HERE: "C'est toujours là",
    Step.HARDER: "C'est plus difficile",
    Step.TALK_AGAIN: "On en reparle",
    Step.NOT_TRIED: "Pas encore essayé",
    Step.TRYING: "On essaie",
    Step.CHANGED_MIND: "J'ai changé d'avis",
    Step.PAUSED: "On fait une pause",
}
ALWAYS = (Step.DONE, Step.TALK_AGAIN, Step.CHANGED_MIND, Step.PAUSED)
STEPS_OF: dict[GoalKind, tuple[Step, ...]] = {
    GoalKind.AVANCER: (Step.NOT_STARTED, Step.STARTING, Step.MOVING, Step.ALMOST, *ALWAYS),
    GoalKind.GARDER: (Step.STILL_HERE, Step.HARDER, *ALWAYS),
    GoalKind.ESSAYER: (Step.NOT_TRIED, Step.TRYING, *ALWAYS),
}
FEELINGS: dict[Feeling, str] = {
    Feeling.GOOD: "Bien",
    Feeling.SO_SO: "Moyen",
    Feeling.BAD: "Pas bien",
    Feeling.DISAGREE: "Je ne vois pas les choses comme ça",
}
ORIGINS: dict[Origin, str] = {
    Origin.USAGER: "Usager",
    Origin.FAMILLE: "Famille",
    Origin.PROFESSIONNEL: "Professionnel",
    Origin.AUTRE: "Autre",
}
GOAL_KINDS: dict[GoalKind, str] = {
    GoalKind.AVANCER: "Avancer",
    GoalKind.GARDER: "Garder",
    GoalKind.ESSAYER: "Essayer",
}
PARTIES: dict[Party, str] = {
    Party.STRUCTURE: "La structure",
    Party.USAGER: "La personne",
    Party.REPRESENTATIVE: "Le représentant",
    Party.CONTACT: "Un proche",
}
ANSWERS: dict[Answer, str] = {Answer.YES: "Oui", Answer.NO: "Non", Answer.TALK: "Je veux en parler"}
STATUSES: dict[ProjectStatus, str] = {
    ProjectStatus.DRAFT: "en préparation",
    ProjectStatus.ACTIVE: "en cours",
    ProjectStatus.ON_HOLD: "en pause",
    ProjectStatus.COMPLETED: "terminé",
}
